"""Paths completed by the shell."""

from typing import Protocol

import pytest

from shotstore import StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import create, path
from tests.shell import Shell


class Complete(Protocol):
    def __call__(self, *words: str) -> list[str]: ...


@pytest.fixture
def complete(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """What bash is offered for a line that ends in a word."""

    def run(*words: str) -> list[str]:
        monkeypatch.setenv("_SHOTSTORE_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(("shotstore", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        offered = [line for line in shell.run().splitlines() if line]
        assert shell.error == ""
        return offered

    return run


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("d", ["drafts/later"]),
        ("2026/", ["2026/11/", "2026/12/", "2026/rabi"]),
        ("/2026/1", ["/2026/11/", "/2026/12/"]),
        ("2026/11", ["2026/11/ramsey"]),
        ("e", ["empty/"]),
        (r"'\2026\r'", [r"\\2026\\rabi"]),
        ("nothing", []),
        ("nothing/here", []),
        ("2026//", ["2026/11/", "2026/12/", "2026/rabi"]),
    ],
)
def test_paths_are_completed(complete: Complete, typed: str, offered: list[str]) -> None:
    for command in ("ls", "show", "mv"):
        assert complete(command, typed) == offered


def test_spaces_are_escaped(complete: Complete, store: StorageManager) -> None:
    with store.session() as session:
        create(session, path(r"\my run\it's good"))
    assert complete("show", "my") == [r"my\ run/it\'s\ good"]
    assert complete("show", r"my\ run/i") == [r"my\ run/it\'s\ good"]


@pytest.mark.usefixtures("lab")
def test_commands_and_values_are_completed(complete: Complete) -> None:
    assert complete("sh") == ["show", "shots"]
    assert complete("find", "--state", "f") == ["finished"]


def test_without_a_store_nothing_is_offered(complete: Complete, shell: Shell) -> None:
    assert complete("ls", "") == []
    assert shell.code == 0


def test_what_is_copied_is_completed_from_its_source(
    complete: Complete, lab: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOTSTORE", "nowhere")
    assert complete("copy", str(lab.root), "new", "2026/r") == ["2026/rabi"]
