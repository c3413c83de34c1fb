"""A progress bar for work that takes long, where there is somebody to see it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from shotstore.copy import CopyProgress


@contextmanager
def progress_bar(doing: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many bytes are done, on standard error; gone in the end. Nothing is shown where
    that is no terminal."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(doing, total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield show


@contextmanager
def copy_bar() -> Iterator[Callable[["CopyProgress"], None]]:
    """Show shots, sequences and speed of a copy in the same way."""
    console = Console(stderr=True)
    start = monotonic()
    with Progress(
        TextColumn("Copying"),
        BarColumn(),
        TextColumn("{task.completed:,}/{task.total:,} shots, {task.description}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=0)

        def show(copied: "CopyProgress") -> None:
            speed = copied.size / 1e6 / max(monotonic() - start, 1e-3)
            progress.update(
                task,
                completed=copied.shots,
                total=copied.all_shots,
                description=f"{copied.sequences}/{copied.all_sequences} sequences, "
                f"{speed:.1f} MB/s",
            )

        yield show


@contextmanager
def part_bar(doing: str) -> Iterator[Callable[[int, int], None]]:
    """Show which part of something is done in the same way."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(doing, total=None)

        def show(done: int, whole: int) -> None:
            progress.update(task, completed=done, total=whole)

        yield show
