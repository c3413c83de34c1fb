"""A progress bar for work that takes long, where there is somebody to see it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def progress_bar(doing: str) -> Iterator[Callable[..., None]]:
    """Show on standard error, or in a notebook, how far something is; gone in the end.

    Nothing is shown where standard error is not a terminal, where rich is not installed, and in a
    notebook without ipywidgets.

    Args:
        doing: What is done, in a word or two: "Copying".

    Yields:
        A function to call now and then with how much is done and how much there is to do, in any
        unit, and optionally with a text that tells more.
    """
    if find_spec("rich") is None:
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    in_notebook = console.is_jupyter and find_spec("ipywidgets") is not None
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[more]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (console.is_terminal or in_notebook),
    ) as progress:
        task = progress.add_task(doing, total=None, more="")

        def show(done: float, whole: float, more: str = "") -> None:
            progress.update(task, completed=done, total=whole, more=more)

        yield show
