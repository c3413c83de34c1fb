"""Where the commands print to."""

from rich.console import Console


def new_console() -> Console:
    """Return the standard output. A terminal wraps lines at its width; for a file or another
    program they stay whole, so that they can be searched."""
    console = Console()
    console.soft_wrap = not console.is_terminal
    return console
