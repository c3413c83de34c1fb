"""`examples/tutorial.py`: from camera frames to the condensate, and the page about it."""

import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from shotstore import PureSequencePath
from shotstore.demo import gas
from shotstore.demo.experiment import value_in
from shotstore.demo.recipes import EVAPORATION, PARAMETERS
from shotstore.hdf5 import HDF5StorageManager
from tests.tutorial_page import PAGE, SCRIPT, outputs, render

pytestmark = pytest.mark.exhaustive

PATH = PureSequencePath(r"\rubidium\evaporation")
PICTURES = ["optical-density.png", "profile.png", "condensate-fraction.png"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty directory: the tutorial brings its frames."""
    return tmp_path_factory.mktemp("tutorial")


@pytest.fixture(scope="module")
def printed(directory: Path) -> str:
    """What the tutorial prints."""
    return run(directory)


def run(directory: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        cwd=directory,
        env={**os.environ, "MPLBACKEND": "agg", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def simulated_fractions() -> list[float]:
    """What the condensate fraction is in the gas that the frames show."""
    fractions = []
    for parameters in islice(EVAPORATION.iteration.walk(PARAMETERS.evaluate()), 13):
        trap = gas.Trap(
            radial_frequency=value_in(parameters, "trap.radial_frequency", "Hz"),
            axial_frequency=value_in(parameters, "trap.axial_frequency", "Hz"),
        )
        knife = value_in(parameters, "evaporation.final_frequency", "Hz")
        bottom = value_in(parameters, "evaporation.trap_bottom", "Hz")
        fractions.append(gas.evaporate(knife, bottom, trap).condensed_fraction)
    return fractions


def test_the_fractions_are_those_that_were_simulated(directory: Path, printed: str) -> None:
    assert "condensate" in printed.lower()
    results = pl.read_csv(directory / "condensate.csv").sort("hold_step")
    fraction = results["condensate_fraction"].to_numpy()
    # The number of atoms fluctuates by 3 % from shot to shot.
    np.testing.assert_allclose(fraction, simulated_fractions(), atol=0.06)
    assert fraction[:8].max() < 0.01 < 0.05 < fraction[8]
    assert (np.diff(fraction) > -0.01).all()


def test_it_prints_what_the_page_says(printed: str) -> None:
    on_the_page = outputs(PAGE.read_text(encoding="utf-8"))
    assert len(on_the_page) > 3
    for text in on_the_page:
        assert " ".join(text.split()) in " ".join(printed.split())


def test_it_leaves_pictures_and_a_sequence_that_is_found(directory: Path, printed: str) -> None:
    assert printed
    for picture in PICTURES:
        with Image.open(directory / picture) as image:
            assert image.width > 400
        assert f"(tutorial-{picture})" in PAGE.read_text(encoding="utf-8")
        assert (PAGE.parent / f"tutorial-{picture}").exists()
    [found] = HDF5StorageManager(directory / "lab", read_only=True).find(tag="condensate")
    assert found.path == PATH
    shutil.unpack_archive(directory / "evaporation.zip", directory / "unpacked")
    [copy] = HDF5StorageManager(directory / "unpacked", read_only=True).find()
    assert (copy.number_of_shots, copy.tags) == (found.number_of_shots, found.tags)


def test_it_can_be_run_again(directory: Path, printed: str) -> None:
    assert run(directory) == printed


def test_the_page_is_the_script() -> None:
    rendered = render(SCRIPT.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == rendered, "run: python -m tests.tutorial_page"
