"""The command `shotstore`, as a person types it."""

import json
import sys
from typing import Any

import pytest

from shotstore import cli


class Shell:
    """Runs the command in a directory, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.code = 0
        self.error = ""

    def run(self, *arguments: str) -> str:
        """What it prints; `code` and `error` say how it ended."""
        self._monkeypatch.setattr(sys, "argv", ["shotstore", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        self.code = int(ended.value.code or 0)
        printed = self._capsys.readouterr()
        self.error = printed.err
        return printed.out

    def json(self, *arguments: str) -> Any:
        """What it prints, as JSON without the constants that are none of it."""
        return json.loads(self.run(*arguments, "--json"), parse_constant=_refuse)

    def rows(self, *arguments: str) -> dict[str, list[str]]:
        """The cells of a table that it prints, by those of the first column."""
        lines = [line.split("  ") for line in self.run(*arguments).splitlines()]
        cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
        return {first: others for first, *others in cells[1:]}


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is no JSON")
