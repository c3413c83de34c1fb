r"""Write camera frames of a simulated run, as a folder of PNG files.

    python examples/demo_frames.py FOLDER

They are the first 13 shots of the evaporation that ``shotstore demo`` records: a gas of rubidium
that is cooled until a part of it condenses. Each shot has ``NN_atoms.png``, ``NN_reference.png``
and ``NN_dark.png``, 16 bit grey, with the noise of photons and camera. Needs pillow.
"""

import sys
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image
from record_png_run import FRAMES

from shotstore.demo.experiment import run_shot
from shotstore.demo.recipes import EVAPORATION, PARAMETERS

SHOTS = 13
"""In later ones, hardly any thermal atoms are left."""


def write_frames(folder: Path) -> None:
    """Write the frames into a new folder. They are the same each time.

    Raises:
        FileExistsError: the folder exists.
    """
    folder.mkdir()
    run = EVAPORATION.iteration.walk(PARAMETERS.evaluate())
    for number, parameters in enumerate(islice(run, SHOTS)):
        noise = np.random.default_rng(number)
        data = run_shot(parameters, noise, camera_is_triggered=True)
        for frame in FRAMES:
            pixels = np.asarray(data[frame])
            Image.fromarray(pixels).save(folder / f"{number:02d}_{frame}.png")


if __name__ == "__main__":
    write_frames(Path(sys.argv[1]))
