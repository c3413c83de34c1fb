"""Where the commands print to."""

from rich.console import Console


def new_console(*, stderr: bool = False) -> Console:
    """Return the standard output, or the standard error. A terminal wraps lines at its width; for a
    file or another program they stay whole, so that they can be searched. What is printed is taken
    as it is: names may hold what rich would read as markup."""
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    console.soft_wrap = not console.is_terminal
    return console
