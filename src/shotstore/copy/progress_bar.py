"""A progress bar for a copy, where somebody sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from shotstore.copy.report import CopyProgress, Progress


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show shots, sequences and speed, in a notebook or on standard error; nothing where that is
    no terminal."""
    from tqdm.auto import tqdm
    from tqdm.notebook import tqdm as notebook

    # None: shown if standard error is a terminal, which it never is in a notebook.
    disable = False if issubclass(tqdm, notebook) else None
    start = monotonic()
    with tqdm(desc="Copying", unit="shot", unit_scale=True, disable=disable) as bar:

        def show(progress: CopyProgress) -> None:
            speed = progress.size / 1e6 / max(monotonic() - start, 1e-3)
            bar.total = progress.all_shots
            bar.set_postfix_str(
                f"{progress.sequences}/{progress.all_sequences} sequences, {speed:.1f} MB/s",
                refresh=False,
            )
            bar.update(progress.shots - bar.n)

        yield show
