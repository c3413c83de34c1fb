"""`examples/tutorial.py`: the real run from its frames to the condensate, and the page about it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from shotstore.cli.demo.experiment import run_shot
from shotstore.cli.demo.recipes import EVAPORATION, PARAMETERS
from shotstore.hdf5 import HDF5StorageManager
from tests.test_png_run import FRAMES, HELIUM, PATH
from tests.tutorial_page import PAGE, SCRIPT, outputs, render

PICTURES = ["optical-density.png", "profile.png", "condensate-fraction.png"]


@pytest.fixture(scope="module", params=["simulated", "helium"])
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the frames of a run."""
    directory = tmp_path_factory.mktemp("tutorial")
    if request.param == "helium":
        if not HELIUM.is_dir():
            pytest.skip(f"needs {HELIUM}")
        shutil.copytree(HELIUM, directory / "helium_bec")
    else:
        write_simulated_frames(directory / "helium_bec")
    return directory


def write_simulated_frames(folder: Path) -> None:
    """The first half of the demo; in the second, hardly any thermal atoms are left."""
    folder.mkdir()
    initial = PARAMETERS.evaluate()
    for index, parameters in zip(range(12), EVAPORATION.iteration.walk(initial), strict=False):
        noise = np.random.default_rng(index)
        data = run_shot(parameters, noise, camera_is_triggered=True)
        for frame in FRAMES:
            pixels = np.asarray(data[frame])
            Image.fromarray(pixels).save(folder / f"{index:02d}_{frame}.png")


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


def test_the_condensate_grows(directory: Path, printed: str) -> None:
    assert "condensate" in printed.lower()
    results = pl.read_csv(directory / "condensate.csv").sort("hold_step")
    fraction = results["condensate_fraction"].to_numpy()
    assert fraction[0] < 0.05
    assert fraction[-1] > 0.3
    assert (np.diff(fraction) > -0.01).all()


def test_it_prints_what_the_page_says(directory: Path, printed: str) -> None:
    if not (directory / "helium_bec" / "12_atoms.png").exists():
        pytest.skip("the page is about helium")
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
