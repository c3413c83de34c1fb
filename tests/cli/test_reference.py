"""Each command tells what it does, in its help and on the page about the command line."""

import inspect

import pytest

from tests.cli.reference import PAGE, commands, page_with, parameters, reference
from tests.shell import Shell

COMMANDS = dict(commands())


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with(reference()), (
        "run `python -m tests.cli.reference`"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(shell: Shell, name: str) -> None:
    said = shell.run(*name.split()[1:], "--help")
    assert shell.code == 0
    assert shell.run(*name.split()[1:], "-h") == said
    assert "bool" not in said.lower()  # a flag takes no value
    assert "{" not in said  # no types of Python, and nothing that is not typed
    assert "<str>" not in said
    assert "<list" not in said
    assert f"Usage: {name}" in said
    command = COMMANDS[name]
    if callable(command):
        assert inspect.getdoc(command)
        for parameter, _, information, _ in parameters(command):
            assert information.help, f"{parameter} of {name} has no help"
            assert information.help.split()[0] in said
    else:
        assert command


def test_what_all_commands_have_in_common_is_shown(shell: Shell) -> None:
    said = shell.run("-h")
    assert shell.code == 0
    assert "--version" in said
    assert "bool" not in said.lower()
