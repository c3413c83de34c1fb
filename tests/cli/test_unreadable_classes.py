"""Every command and view, on runs whose recipes and configurations this program cannot read."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook

from shotstore import (
    ExperimentSession,
    PureSequencePath,
    Shot,
    ShotId,
    StorageManager,
    UnreadableConfigurationError,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    JSON,
    DefaultSerializer,
    IterationConfiguration,
    ParameterNamespace,
    TimeLanes,
    UnknownDeviceConfiguration,
    quantity,
)
from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import PARAMETERS, START, STOP, path, recipe, record
from shotstore.testing.lab import Schedule, Sound
from tests.cli.conftest import FRAME
from tests.shell import Shell

pytestmark = pytest.mark.exhaustive

LANES = TimeLanes(["pulse"], ["1 us"], {"speaker": Sound((0.5,))})
ANOTHER = "written by another program"
OLD_CAMERA = UnknownDeviceConfiguration("CameraConfiguration", {"gain": 3})


class OfAnotherProgram(DefaultSerializer):
    """Writes all in a form of its own."""

    def dump_iteration(self, iteration: IterationConfiguration) -> JSON:
        return {"scan": super().dump_iteration(iteration)}

    def dump_time_lanes(self, time_lanes: TimeLanes) -> JSON:
        return ["lanes", [*time_lanes.lanes]]

    def dump_global_parameters(self, parameters: ParameterNamespace) -> JSON:
        return {"globals": [super().dump_global_parameters(parameters)]}

    def load_iteration(self, content: JSON) -> IterationConfiguration:
        assert isinstance(content, dict)
        return super().load_iteration(content["scan"])

    def load_global_parameters(self, content: JSON) -> ParameterNamespace:
        assert isinstance(content, dict)
        assert isinstance(content["globals"], list)
        return super().load_global_parameters(content["globals"][0])


class OfEarlier(DefaultSerializer):
    """Writes recipes as the class was at another time."""

    def dump_iteration(self, iteration: IterationConfiguration) -> JSON:
        del iteration
        return {"type": "steps", "content": {"loops": [["pulse.length", 1, 4]]}}


def other_program() -> DefaultSerializer:
    return OfAnotherProgram()


def earlier() -> DefaultSerializer:
    classes = OfEarlier()
    classes.register_time_lane(Sound)
    return classes


KINDS: dict[str, tuple[Callable[[], DefaultSerializer], IterationConfiguration, str]] = {
    "other": (
        other_program,
        recipe(3),
        f"Not readable here: the recipe ({ANOTHER}), the time lanes ({ANOTHER}), the global par",
    ),
    "changed": (earlier, recipe(3), "Not readable here: the recipe (steps), the time lanes "),
    "unknown": (
        serializer,
        Schedule((1.0, 2.5, 4.0)),
        "Not readable here: the recipe (Schedule), the time lanes (Sound).",
    ),
}
"""By the name of the folder: who writes, what, and what is said of it"""
RUNS = [f"{kind}/run" for kind in KINDS]
DRAFTS = [f"{kind}/{name}" for kind in KINDS for name in ("draft", "prepared")]


def _fill(session: ExperimentSession, folder: str, iteration: IterationConfiguration) -> None:
    sequences = session.sequences
    for name in ("run", "draft", "prepared"):
        sequences.create(f"{folder}/{name}", iteration, LANES)
    devices = {"camera": OLD_CAMERA}
    sequences.set_preparing(f"{folder}/prepared", devices, PARAMETERS)
    sequences.set_preparing(f"{folder}/run", devices, PARAMETERS)
    sequences.set_running(f"{folder}/run", START)
    for index, length in enumerate((1.0, 2.5, 4.0)):
        record(
            session,
            path(rf"\{folder}\run"),
            index,
            parameters={"pulse.length": quantity(length, "us"), "offset": 2},
            data={"frame": FRAME + index, "atoms": 1000.0 * (index + 1)},
        )
    sequences.set_finished(f"{folder}/run", STOP)


Open = Callable[[DefaultSerializer | None], StorageManager]


@pytest.fixture(params=["files", "database"])
def open_lab(
    request: pytest.FixtureRequest, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Open:
    """Opens a store, which the shell is about, with a serializer."""
    del shell

    def files(classes: DefaultSerializer | None) -> StorageManager:
        return HDF5StorageManager(tmp_path / "lab", serializer=classes)

    def database(classes: DefaultSerializer | None) -> StorageManager:
        return SQLiteStorageManager(SQLiteConfig(tmp_path / "lab.db"), serializer=classes)

    is_files = request.param == "files"
    found = files if is_files else database
    monkeypatch.setenv("SHOTSTORE", "lab" if is_files else "sqlite:///lab.db")
    if not is_files:
        found(None).upgrade()  # type: ignore[attr-defined]
    for kind, (classes, iteration, _) in KINDS.items():
        with found(classes()).session() as session:
            _fill(session, kind, iteration)
    with found(other_program()).session() as session:
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations["camera"] = OLD_CAMERA
    return found


@pytest.fixture
def lab(open_lab: Open) -> StorageManager:
    """The store as a program opens it that knows no classes."""
    return open_lab(None)


def test_the_recipes_are_not_readable(lab: StorageManager) -> None:
    with lab.session() as session:
        for kind in ("other", "changed"):
            with pytest.raises(UnreadableConfigurationError):
                session.sequences.get_iteration_configuration(f"{kind}/run")
        with pytest.raises(UnreadableConfigurationError):
            session.get_global_parameters()


@pytest.mark.parametrize("kind", KINDS)
def test_show_says_what_is_not_readable_and_shows_the_rest(
    lab: StorageManager, shell: Shell, kind: str
) -> None:
    del lab
    printed = shell.run("show", f"{kind}/run")
    assert (shell.code, shell.error) == (0, "")
    assert KINDS[kind][2] in printed
    for expected in ("3 shots", "camera (CameraConfiguration)", "1 to 4", "uint16, 3 x 4"):
        assert expected in printed
    found = shell.json("show", f"{kind}/run")
    assert found["devices"] == {"camera": "CameraConfiguration"}
    assert "recipe" in found["not_readable"]
    for name in ("draft", "prepared"):
        assert KINDS[kind][2][:30] in shell.run("show", f"{kind}/{name}")
        assert shell.code == 0


def test_info_says_that_the_global_parameters_are_not_readable(
    lab: StorageManager, shell: Shell
) -> None:
    del lab
    assert "written by another program, not readable here" in shell.run("info")
    found = shell.json("info")
    assert shell.code == 0
    assert (found["sequences"], found["shots"], found["global_parameters"]) == (9, 9, None)
    assert found["default_devices"] == ["camera"]


@pytest.mark.parametrize("arguments", [("ls", "-r"), ("tree",), ("find",)], ids=" ".join)
def test_lists_have_all_of_them(
    lab: StorageManager, shell: Shell, arguments: tuple[str, ...]
) -> None:
    del lab
    printed = shell.run(*arguments)
    assert (shell.code, shell.error) == (0, "")
    assert printed.count("finished") == 3
    assert printed.count("draft") >= 3
    assert printed.count("preparing") == 3
    assert "damaged" not in printed


def test_find_looks_at_their_shots(lab: StorageManager, shell: Shell) -> None:
    del lab
    found = shell.run("find", "--where", "pulse.length > 3 us", "--paths").split()
    assert set(found) >= {rf"\{kind}\run" for kind in KINDS}
    assert shell.run("find", "--where", "pulse.length > 30 us").strip() == "Nothing was found."
    assert "the closest is 'pulse.length'" in shell.run("find", "--varied", "lenght")
    assert shell.code == 0


@pytest.mark.parametrize("run", RUNS)
def test_shots_shows_them(lab: StorageManager, shell: Shell, run: str) -> None:
    del lab
    assert "2.5" in shell.run("shots", run)
    assert [shot["atoms"] for shot in shell.json("shots", run)["shots"]] == [1000, 2000, 3000]
    assert "4" in shell.run("shots", run, "--last", "1")
    assert (shell.code, shell.error) == (0, "")


@pytest.mark.parametrize("draft", DRAFTS)
def test_shots_and_plot_of_a_draft_say_that_there_are_none(
    lab: StorageManager, shell: Shell, draft: str
) -> None:
    del lab
    assert shell.run("shots", draft).strip() == "There are no shots."
    assert shell.code == 0
    shell.run("plot", draft)
    assert "no shots" in shell.error


@pytest.mark.parametrize("run", RUNS)
def test_plot_draws_what_differs_between_the_shots(
    lab: StorageManager, shell: Shell, run: str
) -> None:
    del lab
    assert "pulse.length" in shell.run("plot", run)
    assert shell.code == 0
    shell.run("plot", run, "--image", "frame", "-o", "frames.png")
    assert (shell.code, shell.error) == (0, "")


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.xlsx", "a.nc", "a.npz", "a.zip", "png"])
def test_export_writes_them(
    lab: StorageManager, shell: Shell, tmp_path: Path, run: str, name: str
) -> None:
    del lab
    to = ("--to", "png") if name == "png" else ()
    shell.run("export", run, "-o", name, *to)
    assert shell.code == 0, shell.error
    assert (tmp_path / name).exists()


def test_a_workbook_says_what_is_not_readable(
    lab: StorageManager, shell: Shell, tmp_path: Path
) -> None:
    del lab
    for kind, said in (("other", "written by another program"), ("unknown", "Schedule")):
        shell.run("export", f"{kind}/run", "-o", f"{kind}.xlsx")
        facts = load_workbook(tmp_path / f"{kind}.xlsx")["sequence"]
        assert ("recipe, not readable here", said) in list(facts.values)


def test_a_zip_holds_the_recipes_as_they_were(
    lab: StorageManager, shell: Shell, tmp_path: Path
) -> None:
    del lab
    shell.run("export", "other/run", "-o", "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    [document] = (tmp_path / "unpacked").rglob("sequence.json")
    assert '"scan"' in document.read_text()


@pytest.mark.parametrize("run", RUNS)
def test_follow_prints_them(lab: StorageManager, shell: Shell, run: str) -> None:
    del lab
    printed = shell.run("follow", run)
    assert (shell.code, shell.error) == (0, "")
    assert "pulse.length = 2.5" in printed


@pytest.mark.parametrize("open_lab", ["files"], indirect=True)
def test_verify_recover_and_du_find_nothing_wrong(lab: StorageManager, shell: Shell) -> None:
    del lab
    shell.run("verify")
    assert (shell.code, shell.error) == (0, "")
    for run in RUNS:
        assert "not damaged" in shell.run("recover", run)
        assert run.replace("/", "\\") in shell.run("du", "--depth", "2")
    assert (shell.code, shell.error) == (0, "")


@pytest.mark.parametrize("destination", ["copied", "sqlite:///copied.db"])
def test_copy_passes_everything_on_as_it_is(
    lab: StorageManager, shell: Shell, tmp_path: Path, destination: str
) -> None:
    shell.run("copy", os.environ["SHOTSTORE"], destination)
    assert (shell.code, shell.error) == (0, "")
    del lab
    classes = other_program()
    copied: StorageManager = (
        HDF5StorageManager(tmp_path / "copied", serializer=classes)
        if destination == "copied"
        else SQLiteStorageManager(SQLiteConfig(tmp_path / "copied.db"), serializer=classes)
    )
    with copied.session() as session:
        # Those that are preparing are left out.
        assert len(session.sequences.get_contained_sequences("\\")) == 6
        assert session.get_global_parameters() == PARAMETERS
        assert session.default_device_configurations["camera"] == OLD_CAMERA
        assert session.sequences.get_iteration_configuration("other/run") == recipe(3)
        assert session.sequences.get_device_configurations("other/run") == {"camera": OLD_CAMERA}
        assert session.sequences.get_all_shot_data("other/run", 0)["atoms"] == 1000


@pytest.mark.parametrize("kind", KINDS)
def test_a_notebook_shows_them(lab: StorageManager, kind: str) -> None:
    with lab.session() as session:
        sequence = session.get_sequence(f"{kind}/run")
        found = sequence._repr_html_()
        for expected in (KINDS[kind][2], "3 of 3 shots", "pulse.length", "1 to 4 µs", "<img"):
            assert expected in found
        shot = Shot(sequence, 0)._repr_html_()
        for expected in ("pulse.length", "1 µs", "atoms", "1000", "<img"):
            assert expected in shot
        for name in ("draft", "prepared"):
            found = session.get_sequence(f"{kind}/{name}")._repr_html_()
            assert KINDS[kind][2][:30] in found


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_and_scans_have_their_shots(lab: StorageManager, kind: str) -> None:
    with lab.session() as session:
        sequence = session.get_sequence(f"{kind}/run")
        assert sequence.to_arrays()["pulse.length"].tolist() == [1, 2.5, 4]
        assert sequence.to_pandas()["atoms"].tolist() == [1000, 2000, 3000]
        assert sequence.scan().collect()["atoms"].to_list() == [1000, 2000, 3000]
        for name in ("draft", "prepared"):
            draft = session.get_sequence(f"{kind}/{name}")
            assert draft.to_arrays()["shot_index"].tolist() == []
            assert draft.scan().collect().height == 0
    assert lab.scan(kind).collect().height == 3


def test_a_shot_is_recorded_without_the_class_of_the_recipe(lab: StorageManager) -> None:
    with lab.session() as session:
        sequences = session.sequences
        sequences.set_running("other/prepared", START)
        shot = ShotId(PureSequencePath(r"\other\prepared"), 0)
        sequences.create_shot(shot, {"x": 1}, {"y": np.arange(3)}, START, STOP)
        sequences.set_finished("other/prepared", STOP)
        assert sequences.get_stats("other/prepared").number_completed_shots == 1
