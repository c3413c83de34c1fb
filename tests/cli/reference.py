"""The reference of all commands on the page about the command line, from the commands themselves.

``python -m tests.cli.reference`` writes it anew.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from shotstore.cli.app import app

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
BEGIN = "<!-- What follows is written by tests/cli/reference.py. -->\n"
_WIDTH = 100


def commands(group: typer.Typer = app, name: str = "shotstore") -> Iterator[tuple[str, object]]:
    """Yield the full name of each command, with its function; of a group, with its help."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield f"{name} {command.name or command.callback.__name__.strip('_')}", command.callback
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield f"{name} {inner.name}", inner.typer_instance.info.help
        yield from commands(inner.typer_instance, f"{name} {inner.name}")


def parameters(
    function: Callable[..., Any],
) -> Iterator[tuple[str, Any, ArgumentInfo | OptionInfo, Any]]:
    """Yield the name, type, description and default of each argument and option of a command."""
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, information = get_args(hints[name])
        yield name, kind, information, parameter.default


def reference() -> str:
    """Return the reference, in Markdown."""
    sections = [
        f"### {name}\n\n{_command(name, what) if callable(what) else _wrap(str(what))}"
        for name, what in sorted(commands(), key=lambda command: command[0])
    ]
    return "\n\n".join(section.rstrip() for section in sections) + "\n"


def _command(name: str, function: Callable[..., Any]) -> str:
    arguments, options = [], []
    usage = [name]
    for parameter, kind, information, default in parameters(function):
        if isinstance(information, ArgumentInfo):
            title = information.metavar or parameter.upper()
            several = "..." if get_origin(_plain(kind)) is list else ""
            is_needed = default is inspect.Parameter.empty
            usage.append(f"{title}{several}" if is_needed else f"[{title}]{several}")
            arguments.append(_item(f"`{title}`", kind, information, default))
        else:
            options.append(_item(_option(parameter, kind, information), kind, information, default))
    text = "\n\n".join(map(_wrap, inspect.cleandoc(function.__doc__ or "").split("\n\n")))
    usage += ["[OPTIONS]"] if options else []
    return f"```\n{' '.join(usage)}\n```\n\n{text}\n" + "".join(arguments + options)


def _option(name: str, kind: Any, information: OptionInfo) -> str:
    # typer takes the first one for a default, until it sees the one of the signature.
    flags = [*([information.default] if isinstance(information.default, str) else [])]
    flags += information.param_decls or ()
    flags = flags or [f"--{name.replace('_', '-')}"]
    if kind is not bool:
        flags[0] += f" {information.metavar or name.upper()}"
    return ", ".join(f"`{flag}`" for flag in flags)


def _item(title: str, kind: Any, information: ArgumentInfo | OptionInfo, default: Any) -> str:
    inner = _plain(kind)
    inner = get_args(inner)[0] if get_origin(inner) is list else inner
    text = f"{title}: {information.help}"
    if information.envvar:
        return f"\n- {title}: see [above](#which-store-which-path)."
    if isinstance(inner, type) and issubclass(inner, Enum) and not information.metavar:
        text += f" One of {', '.join(str(member.value) for member in inner)}."
    if default not in (None, False, inspect.Parameter.empty):
        text += f" Default: `{default.value if isinstance(default, Enum) else default}`."
    return "\n" + textwrap.fill(
        f"- {text}",
        _WIDTH,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plain(kind: Any) -> Any:
    """The type without ``| None``."""
    if get_origin(kind) in (Union, UnionType):
        [kind] = [part for part in get_args(kind) if part is not type(None)]
    return kind


def _wrap(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def page_with(reference: str) -> str:
    """Return the page with another reference."""
    head, begin, _ = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    assert begin, f"{PAGE} lacks the line {BEGIN}"
    return f"{head}{begin}\n{reference}"


if __name__ == "__main__":
    PAGE.write_text(page_with(reference()), encoding="utf-8")
