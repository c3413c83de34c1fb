"""`shotstore demo`, run as a person runs it, and the store it leaves."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from shotstore import ExperimentSession, PureSequencePath, Sequence, State
from shotstore.demo import camera
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import UnknownDeviceConfiguration, quantity

pytestmark = pytest.mark.exhaustive

EVAPORATION = PureSequencePath(r"\rubidium\evaporation")
EXPANSION = PureSequencePath(r"\rubidium\expansion")
RESONANCE = PureSequencePath(r"\rubidium\calibration\probe_resonance")


def run(*arguments: str, cwd: Path, block: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a new process, in which the module `block` cannot be imported."""
    start = (
        [sys.executable, "-m", "shotstore"]
        if block is None
        else [
            sys.executable,
            "-c",
            f"import sys; sys.modules[{block!r}] = None; from shotstore.cli import main; main()",
        ]
    )
    return subprocess.run(
        [*start, *arguments], cwd=cwd, capture_output=True, text=True, encoding="utf-8"
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The directory of a store that the demo has made, and what it printed."""
    directory = tmp_path_factory.mktemp("demo")
    done = run("demo", "store", cwd=directory)
    assert done.returncode == 0, done.stderr
    return directory / "store", done.stdout


@pytest.fixture
def session(demo: tuple[Path, str]) -> Iterator[ExperimentSession]:
    with HDF5StorageManager(demo[0]).session() as session:
        yield session


def test_one_sequence_finished_one_crashed_and_one_is_a_draft(session: ExperimentSession) -> None:
    paths = session.sequences.get_contained_sequences(PureSequencePath.root())
    assert paths == {EVAPORATION, EXPANSION, RESONANCE}
    stats = {path: session.sequences.get_stats(path) for path in paths}
    assert {path: stats[path].state for path in paths} == {
        EVAPORATION: State.FINISHED,
        EXPANSION: State.CRASHED,
        RESONANCE: State.DRAFT,
    }
    counts = {
        path: (s.number_completed_shots, s.expected_number_shots) for path, s in stats.items()
    }
    assert counts == {EVAPORATION: (24, 24), EXPANSION: (7, 12), RESONANCE: (0, 31)}
    ended = stats[EVAPORATION]
    assert ended.start_time is not None
    assert ended.stop_time is not None
    assert ended.start_time < ended.stop_time


def test_the_crash_tells_its_cause(session: ExperimentSession) -> None:
    error = session.sequences.get_exception(EXPANSION)
    assert error.exception_type.endswith("CameraError")
    assert "0 of 3 frames" in error.message
    assert error.cause is not None
    assert error.cause.exception_type == "TimeoutError"
    assert error.cause.frames[-1].function == "_wait_for_trigger"


def test_shots_hold_parameters_with_units_frames_and_a_number(session: ExperimentSession) -> None:
    first, *_, last = Sequence(EVAPORATION, session).get_shots()
    parameters = first.get_parameters()
    assert parameters["evaporation.hold_time"] == quantity(0.0, "s")
    assert parameters["evaporation.final_frequency"] == quantity(1.033, "MHz")
    assert parameters["probe.detuning"] == quantity(7, "MHz")
    assert parameters["imaging.time_of_flight"] == quantity(24, "ms")
    assert last.get_parameters()["evaporation.hold_time"] == quantity(4.6, "s")
    for shot in (first, last):
        data = shot.get_data()
        assert set(data) == {"atoms", "reference", "dark", "atom_number"}
        frames = camera.Frames(*(np.asarray(data[x]) for x in ("atoms", "reference", "dark")))
        assert frames.atoms.dtype == np.uint16
        assert frames.atoms.shape == (256, 320)
        assert data["atom_number"] == pytest.approx(camera.atom_number(frames, 3.4e-6, 7e6))
        assert first.get_start_time() <= first.get_end_time() <= shot.get_end_time()


def test_the_gas_loses_atoms_and_condenses(session: ExperimentSession) -> None:
    numbers, peaks = [], []
    for shot in Sequence(EVAPORATION, session):
        data = shot.get_data()
        frames = camera.Frames(*(np.asarray(data[x]) for x in ("atoms", "reference", "dark")))
        numbers.append(float(np.asarray(data["atom_number"])))
        peaks.append(float(camera.optical_density(frames).max()))
    assert 5e5 < numbers[0] < 1e6
    assert 2e5 < numbers[-1] < 0.5 * numbers[0]
    assert peaks[-1] > 4 * peaks[0]


def test_h5py_reads_the_same(demo: tuple[Path, str], session: ExperimentSession) -> None:
    shots = Sequence(EVAPORATION, session).get_shots()
    with h5py.File(demo[0] / "sequences" / "rubidium" / "evaporation" / "shots.h5") as file:
        np.testing.assert_array_equal(file["shots"]["shot_index"], np.arange(24))
        for label in ("atoms", "reference", "dark"):
            expected = np.stack([np.asarray(shot.get_data_by_label(label)) for shot in shots])
            assert file["data"][label].shape == (24, 256, 320)
            np.testing.assert_array_equal(file["data"][label], expected)
        numbers = [shot.get_data_by_label("atom_number") for shot in shots]
        np.testing.assert_array_equal(file["scalars"]["atom_number"], numbers)
        np.testing.assert_allclose(
            file["parameters"]["evaporation.hold_time"], np.linspace(0, 4.6, 24)
        )
        assert file["parameter_units"][0]["evaporation.hold_time"] == b"s"


def test_devices_come_back_without_the_package_that_defined_them(
    session: ExperimentSession,
) -> None:
    devices = session.sequences.get_device_configurations(EVAPORATION)
    camera_settings = devices["camera"]
    assert isinstance(camera_settings, UnknownDeviceConfiguration)
    assert camera_settings.remote_server == "imaging-pc"


def test_it_prints_the_tree_and_where_the_files_are(demo: tuple[Path, str]) -> None:
    store, printed = demo
    for text in ("rubidium", "evaporation", "24/24", "finished", "crashed", "draft"):
        assert text in printed
    assert "CameraError: 0 of 3 frames came: check the trigger cable" in printed
    for file in ("run.png", "sequences/rubidium/evaporation/shots.h5"):
        assert f"store/{file}" in printed.replace("\\", "/")
        assert (store / file).stat().st_size > 10_000
    assert (store / "run.png").read_bytes().startswith(b"\x89PNG")


def test_the_printed_commands_work(demo: tuple[Path, str]) -> None:
    store, printed = demo
    lines = [line.removeprefix("  ") for line in printed.splitlines()]
    [command] = [line for line in lines if ' -c "import h5py; ' in line]
    done = subprocess.run(
        command, shell=True, cwd=store.parent, check=True, capture_output=True, text=True
    )
    assert "(24, 256, 320)" in done.stdout
    script = "\n".join(lines[lines.index("from shotstore import Sequence") :])
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=store.parent, check=True, capture_output=True, text=True
    )
    assert len(done.stdout.splitlines()) == 24


def test_a_directory_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    note = tmp_path / "notes" / "note.txt"
    note.write_text("mine")
    for there in ("notes", "notes/note.txt"):
        done = run("demo", there, cwd=tmp_path)
        assert done.returncode == 1
        assert not done.stdout
        [line] = done.stderr.splitlines()
        assert "is not an empty directory; nothing was changed" in line
    assert list(tmp_path.rglob("*")) == [tmp_path / "notes", note]
    assert note.read_text() == "mine"


@pytest.mark.parametrize("module", ["typer", "rich", "matplotlib"])
def test_what_to_install_is_named_in_one_line(tmp_path: Path, module: str) -> None:
    done = run("demo", cwd=tmp_path, block=module)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert module in line
    assert f'"{module}>=' in line.partition(": pip install ")[2]
    assert not list(tmp_path.iterdir())


def test_version_and_help_are_there(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).stdout.startswith("shotstore 0.")
    assert "demo" in run("--help", cwd=tmp_path).stdout
    assert "[DIR]" in run("demo", "--help", cwd=tmp_path).stdout
