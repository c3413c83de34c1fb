r"""Record a folder of camera frames as one sequence, with one durable commit for each shot.

    python examples/record_png_run.py FOLDER STORE [--path '\helium\evaporation']

FOLDER holds three grey PNG files for each shot, ``NN_atoms.png``, ``NN_reference.png`` and
``NN_dark.png``, where NN is the number of the shot. STORE is created if it does not exist. All
files are checked before anything is written. Needs pillow and the extra ``cli`` of shotstore.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from rich.console import Console
from rich.progress import track

from shotstore import (
    InvalidPathFormatError,
    PathError,
    PureSequencePath,
    StorageError,
    StorageManager,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import ExecuteShot, StepsConfiguration, VariableDeclaration

FRAMES = ("atoms", "reference", "dark")
GREY_MODES: dict[str, np.dtype[Any]] = {"L": np.dtype(np.uint8), "I;16": np.dtype(np.uint16)}
"""Pillow's names of the pixel formats that it hands over bit for bit"""

PngShot = dict[str, Path]
"""The file of each frame of one shot"""


class BadRunError(ValueError):
    """The folder does not hold a complete run."""


def find_shots(folder: Path) -> dict[int, PngShot]:
    """The shots in the folder by their number, in order.

    Raises:
        BadRunError: there is none, a frame is missing, or a file is not a grey PNG of the same
            size as the others. The message names every missing frame.
    """
    shots: dict[int, PngShot] = {}
    for file in sorted(folder.iterdir()):
        if match := re.fullmatch(rf"(\d+)_({'|'.join(FRAMES)})\.png", file.name):
            frames = shots.setdefault(int(match[1]), {})
            if match[2] in frames:
                raise BadRunError(f"{frames[match[2]].name} and {file.name} are the same frame")
            frames[match[2]] = file
    if not shots:
        raise BadRunError(f"{folder} holds no files like 00_atoms.png")
    missing = [
        f"{number:02d}_{frame}.png"
        for number, frames in sorted(shots.items())
        for frame in FRAMES
        if frame not in frames
    ]
    if missing:
        raise BadRunError(f"{folder} lacks {', '.join(missing)}: each shot needs three frames")
    _check_formats([file for frames in shots.values() for file in frames.values()])
    return dict(sorted(shots.items()))


def _check_formats(files: list[Path]) -> None:
    first = None
    for file in files:
        try:
            with Image.open(file) as image:  # reads the header only
                mode, size = image.mode, image.size
        except UnidentifiedImageError:
            raise BadRunError(f"{file} is not a PNG") from None
        if mode not in GREY_MODES:
            raise BadRunError(f"{file} has pixels of mode {mode}, expected 8 or 16 bit grey")
        first = first or (mode, size)
        if (mode, size) != first:
            raise BadRunError(
                f"{file} is {size} {mode}, but the first frame is {first[1]} {first[0]}"
            )


def read_frame(file: Path) -> NDArray[Any]:
    """The pixels, uint8 or uint16 as in the file, shape (height, width)."""
    with Image.open(file) as image:
        return np.array(image, dtype=GREY_MODES[image.mode])


def record(shots: dict[int, PngShot], storage: StorageManager, path: PureSequencePath) -> None:
    """Record the shots as a sequence that has run and finished.

    If it is stopped half-way, the shots recorded so far are kept, and the sequence is left
    crashed or interrupted.

    Raises:
        PathError: there is something at the path already, or it cannot be a sequence.
    """
    steps = [
        step
        for number in shots
        for step in (VariableDeclaration("hold_step", str(number)), ExecuteShot())
    ]
    terminal = Console(stderr=True)
    files = track(shots.values(), str(path), console=terminal, disable=not terminal.is_terminal)
    with storage.record(path, StepsConfiguration(steps)) as run:
        for _, frames in zip(run, files, strict=True):
            run.save({name: read_frame(file) for name, file in frames.items()})


def main() -> None:
    """Run the command line: exit code 1 and one line of text when it cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with NN_atoms.png, ...")
    parser.add_argument("store", type=Path, metavar="STORE", help="directory of the store")
    parser.add_argument(
        "--path",
        default=r"\helium\evaporation",
        help="of the sequence in the store (default: %(default)s)",
    )
    arguments = parser.parse_args()
    try:
        path = PureSequencePath(arguments.path)
        shots = find_shots(arguments.folder)
        record(shots, HDF5StorageManager(arguments.store), path)
    except (BadRunError, InvalidPathFormatError, PathError, StorageError, OSError) as error:
        sys.exit(f"record_png_run: {error}")
    print(f"Recorded {len(shots)} shots as {path} in {arguments.store}")


if __name__ == "__main__":
    main()
