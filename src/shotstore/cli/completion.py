"""What the shell offers for a path that is being typed."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from shotstore.cli.opening import open_to_read
from shotstore.paths import PureSequencePath

if TYPE_CHECKING:
    from shotstore.session import ExperimentSession

_ESCAPED_IN_BASH = " \t'\"\\$`!*?[](){}<>|&;#~^"


def complete_path(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the paths that begin like this, as they are typed with slashes.

    Nothing where there is no store, or something is wrong with it: a completion must not print
    errors into what somebody is typing.
    """
    with suppress(Exception):
        store = ctx.params.get("store") or os.environ.get("SHOTSTORE")
        with open_to_read(store, recipes=False).session() as session:
            return [_escaped(text) for text in _matches(session, incomplete)]
    return []


def _matches(session: "ExperimentSession", incomplete: str) -> list[str]:
    if "\\" in incomplete:
        separator, start = "\\", "\\"
    else:
        separator, start = "/", "/" if incomplete.startswith("/") else ""
    above, _, beginning = incomplete.rpartition(separator)
    folder = PureSequencePath(above or separator)
    children = {
        child
        for child in session.paths.get_children(folder)
        if (child.name or "").startswith(beginning) and _can_be_typed(child, separator)
    }
    # One folder alone would be finished with a space, as if nobody wanted to go on in it.
    while len(children) == 1 and not session.sequences.is_sequence(min(children)):
        below = session.paths.get_children(min(children))
        if not below:
            break
        children = below
    return [
        start
        + separator.join(child.parts)
        + ("" if session.sequences.is_sequence(child) else separator)
        for child in sorted(children)
    ]


def _can_be_typed(path: PureSequencePath, separator: str) -> bool:
    return separator == "\\" or not any("/" in name for name in path.parts)


class _Escaped(str):
    """A text for the shell, which typer must not compare with what was typed without escapes."""

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        return True


def _escaped(text: str) -> str:
    # The other shells do it themselves.
    if "bash" not in os.environ.get("_SHOTSTORE_COMPLETE", ""):
        return text
    return _Escaped("".join(f"\\{c}" if c in _ESCAPED_IN_BASH else c for c in text))
