"""What the demo shows: its progress, a picture of the run, and where everything lies."""

import shutil
import sys
from functools import partial
from pathlib import Path

from rich.console import Console

from shotstore import PureSequencePath, Sequence, StorageManager
from shotstore.cli.tree import print_tree
from shotstore.demo.experiment import value_in
from shotstore.demo.picture import LABELS, draw_run
from shotstore.demo.recipes import EVAPORATION, RECIPES
from shotstore.demo.recording import record
from shotstore.progress_bar import progress_bar

PICTURE = "run.png"


def record_with_progress(storage: StorageManager) -> None:
    """Record all sequences of the demo, with a progress bar for each."""
    for recipe in RECIPES:
        number = recipe.iteration.expected_number_shots()
        with progress_bar(str(recipe.path)) as show:
            record(storage, recipe, on_shot=partial(show, whole=number))


def save_picture(storage: StorageManager, file: Path) -> None:
    """Draw the finished sequence as it is read back from the store."""
    with storage.session() as session:
        sequence = Sequence(EVAPORATION.path, session)
        run = sequence.to_arrays(["evaporation.hold_time", "atom_number", *LABELS])
        run["hold_time"] = run.pop("evaporation.hold_time")
        pixel_size = value_in(next(iter(sequence)).get_parameters(), "imaging.pixel_size", "um")
    title = f"{EVAPORATION.path}: a thermal cloud turns into a condensate"
    draw_run(run, pixel_size, title, file)


def print_store(storage: StorageManager, directory: Path, console: Console) -> None:
    """Print the tree, where the files lie, and how to open them."""
    console.print()
    with storage.session() as session:
        print_tree(session, PureSequencePath.root(), str(directory), console)
    sequence = directory.joinpath("sequences", *EVAPORATION.path.parts)
    shots = sequence / "shots.h5"
    _print_section(
        console,
        "Where it is",
        f"all shots, {shots.stat().st_size / 1e6:.0f} MB       {shots}",
        f"state, times, recipe   {sequence / 'sequence.json'}",
        f"picture of the run     {directory / PICTURE}",
    )
    _print_section(
        console,
        "Open shots.h5 in HDFView, or with h5py",
        f'{_python()} -c "import h5py; '
        f"f = h5py.File('{shots.as_posix()}'); "
        "print(f['data/atoms'], f['parameters'].dtype.names)\"",
    )
    _print_section(
        console,
        "or in Python, with shotstore",
        "from shotstore import Sequence",
        "from shotstore.hdf5 import HDF5StorageManager",
        f'with HDF5StorageManager("{directory.as_posix()}").session() as session:',
        f'    for shot in Sequence(r"{EVAPORATION.path}", session):',
        '        print(shot.index, shot.get_data_by_label("atom_number"))',
    )


def _python() -> str:
    """The shortest way to start this Python from here: the environment may not be activated."""
    this = Path(sys.executable)
    if Path(shutil.which("python") or "").parent == this.parent:
        return "python"
    return str(this.relative_to(Path.cwd())) if this.is_relative_to(Path.cwd()) else str(this)


def _print_section(console: Console, title: str, *lines: str) -> None:
    console.print(f"\n{title}", style="bold")
    for line in lines:
        # Lines that were wrapped could not be copied into a terminal.
        console.print(f"  {line}", style="cyan", soft_wrap=True)
