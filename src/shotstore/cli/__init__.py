"""The command ``shotstore``: one module, or package, for each of its commands."""

import sys
from importlib.util import find_spec

from shotstore.installing import install_command


def main() -> None:
    """Run the command line and exit: 0 when done, 1 with one line of text when not."""
    missing = [package for package in ("typer", "rich") if find_spec(package) is None]
    if missing:
        sys.exit(
            f"shotstore: the command line needs {' and '.join(missing)}, not installed here: "
            f"{install_command('cli')}"
        )
    from shotstore.cli.app import run

    run()
