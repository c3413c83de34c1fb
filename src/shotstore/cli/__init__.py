"""The command ``shotstore``: one module, or package, for each of its commands."""

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line and exit: 0 when done, 1 with one line of text when not."""
    missing = [package for package in ("typer", "rich") if find_spec(package) is None]
    if missing:
        sys.exit(
            f"shotstore: the command line needs {' and '.join(missing)}, not installed here: "
            'pip install "shotstore[cli]"'
        )
    from shotstore.cli.app import run

    run()
