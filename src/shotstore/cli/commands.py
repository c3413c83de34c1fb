"""What all commands have in common: -h, and help that reads alike with every version of typer."""

from collections.abc import Callable
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

_F = TypeVar("_F", bound=Callable[..., Any])


class Commands(typer.Typer):
    """Some commands under one name."""

    def __init__(self, help: str) -> None:  # noqa: A002 - as typer calls it
        super().__init__(
            help=help,
            cls=_Group,
            no_args_is_help=True,
            pretty_exceptions_enable=False,
            rich_markup_mode="markdown",
            context_settings={"help_option_names": ["--help", "-h"]},
        )

    def add(self, function: _F) -> _F:
        """Make a function a command, of its name without underscores at its end."""
        return self.command(function.__name__.strip("_"), cls=_Command)(function)


class _PlainHelp:
    """Of a command or group. Some versions of typer print the types of Python, ``<bool>`` after a
    flag as if it took a value and ``<list[str]>`` after an argument, and braces around what is
    required: ``{PATH}``."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return all arguments and options, ``--help`` included."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if getattr(parameter, "is_flag", False) and parameter.metavar is None:
                parameter.metavar = ""
            if parameter.param_type_name == "argument":
                parameter.display_type_rich = _no_type
        return parameters

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what follows the name of the command in the usage line."""
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]
        return [piece.replace("{", "").replace("}", "") for piece in pieces]


def _no_type(ctx: Any) -> str:
    del ctx
    return ""


class _Command(_PlainHelp, TyperCommand):
    pass


class _Group(_PlainHelp, TyperGroup):
    pass
