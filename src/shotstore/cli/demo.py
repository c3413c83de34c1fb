"""``shotstore demo``: record a simulated run, and show how to open the files."""

from pathlib import Path
from typing import Annotated

import typer

from shotstore.cli.console import new_console
from shotstore.errors import StorageError
from shotstore.installing import needed


def demo(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Where to create the store; nothing may be there yet."),
    ] = Path("shotstore-demo"),
) -> None:
    """Record a simulated run of an experiment, and show how to open the files.

    A gas of rubidium is cooled until it condenses: three camera frames a shot, parameters with
    units, and the atom number computed from the frames. One sequence finishes, one crashes, and
    one stays a draft.
    """
    if directory.exists() and not (directory.is_dir() and next(directory.iterdir(), None) is None):
        raise StorageError(
            f"{directory} exists and is not an empty directory; nothing was changed. Name another "
            "one: shotstore demo DIR"
        )
    # Imported here, since h5py and matplotlib take longer to load than `shotstore --help` to run.
    with needed("The demo", "plot"):
        from shotstore.cli import demo_report as report
    from shotstore.demo import recording

    console = new_console()
    storage = recording.open_store(directory)
    report.record_with_progress(storage)
    report.save_picture(storage, directory / report.PICTURE)
    report.print_store(storage, directory, console)
