"""Every kind of transaction, each on a store that has what it needs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from shotstore import (
    DeviceConfiguration,
    ExecuteShot,
    ExperimentSession,
    LinspaceLoop,
    ParameterNamespace,
    PureSequencePath,
    ShotId,
    StepsConfiguration,
    TimeLanes,
    TracebackSummary,
    UnknownDeviceConfiguration,
)
from shotstore.hdf5 import HDF5StorageManager

START = datetime(2026, 11, 22, 12, tzinfo=UTC)

DRAFTS = PureSequencePath(r"\drafts")
DRAFT = DRAFTS / "a"
PREPARING = PureSequencePath(r"\preparing")
RUNNING = PureSequencePath(r"\2026\running")
FINISHED = PureSequencePath(r"\2026\finished")
CRASHED = PureSequencePath(r"\2026\crashed")
EMPTY = PureSequencePath(r"\empty")
ELSEWHERE = PureSequencePath(r"\archive\2025\run")
"""In another store."""

Step = Callable[[ExperimentSession], object]


def populate(storage: HDF5StorageManager) -> None:
    """A store with a sequence in each state, an empty folder, defaults and something in the
    trash."""
    with storage.session() as session:
        for path in (DRAFT, PREPARING, RUNNING, FINISHED, CRASHED, EMPTY / "gone"):
            create(path)(session)
        session.paths.create_path(EMPTY)
        session.set_global_parameters(ParameterNamespace.from_mapping({"a": "1"}))
        session.default_device_configurations["laser"] = device(1)
        session.default_device_configurations["camera"] = device(2)
        for path in (PREPARING, RUNNING, FINISHED, CRASHED):
            session.sequences.set_preparing(path, {"laser": device(0)}, globals_(0))
        for path in (RUNNING, FINISHED, CRASHED):
            session.sequences.set_running(path, START)
        for index in range(3):
            shoot(RUNNING, index)(session)
            shoot(FINISHED, index)(session)
        session.sequences.set_finished(FINISHED, START)
        session.sequences.set_crashed(CRASHED, crash(), START)
        find(FINISHED, 0, 1)(session)
        annotate(FINISHED, "good")(session)
        annotate(RUNNING, "long")(session)
    with storage.session() as session:
        session.paths.delete_path(EMPTY / "gone", delete_sequences=True)


def create(path: PureSequencePath) -> Step:
    """Create a draft."""

    def step(session: ExperimentSession) -> None:
        loop = LinspaceLoop("detuning", "0 MHz", "1 MHz", 1000, [ExecuteShot()])
        session.sequences.create(path, StepsConfiguration([loop]), TimeLanes([], [], {}))

    return step


def launch(path: PureSequencePath) -> Step:
    """Let a draft run."""

    def step(session: ExperimentSession) -> None:
        session.sequences.set_preparing(path, {"laser": device(5)}, globals_(5))
        session.sequences.set_running(path, START)

    return step


def shoot(path: PureSequencePath, index: int, *, replace: bool = False, **more: Any) -> Step:
    """Record a shot, which may be there with ``replace``; ``more`` is data that others lack."""

    def step(session: ExperimentSession) -> None:
        data = {
            "atoms": np.full((16, 24), index, np.uint16),
            "times": np.arange(index, dtype=np.uint64),
            "number": index,
            **more,
        }
        start = START + timedelta(seconds=index)
        session.sequences.create_shot(
            ShotId(path, index), {"detuning": float(index)}, data, start, start, replace=replace
        )

    return step


def annotate(path: PureSequencePath, *tags: str) -> Step:
    """Put tags and a note on a sequence."""

    def step(session: ExperimentSession) -> None:
        session.sequences.set_tags(path, tags)
        session.sequences.set_note(path, f"Note on {', '.join(tags)}")

    return step


def find(path: PureSequencePath, *indices: int, by: str = "a fit", **more: Any) -> Step:
    """Store results of shots; ``more`` are results that others lack."""

    def step(session: ExperimentSession) -> None:
        for index in indices:
            results = {"fraction": index / 8, "od": np.full((16, 24), index, np.float32), **more}
            session.sequences.set_results(path, index, results, by=by)

    return step


def mark(path: PureSequencePath, index: int) -> Step:
    """Put a tag and a note on a shot."""

    def step(session: ExperimentSession) -> None:
        session.sequences.set_shot_tags(path, index, ["bad"])
        session.sequences.set_shot_note(path, index, "out of lock")

    return step


def device(number: int) -> DeviceConfiguration:
    """A configuration of a class that the store does not know."""
    return UnknownDeviceConfiguration("laser", {"number": number})


def globals_(number: int) -> ParameterNamespace:
    """Global parameters."""
    return ParameterNamespace.from_mapping({"number": str(number)})


def crash() -> TracebackSummary:
    """What a sequence crashed with."""
    return TracebackSummary.from_exception(RuntimeError("the laser is out of lock"))


def all_of(*steps: Step) -> Step:
    def step(session: ExperimentSession) -> None:
        for one in steps:
            one(session)

    return step


def swap(one: PureSequencePath, other: PureSequencePath) -> Step:
    def step(session: ExperimentSession) -> None:
        aside = PureSequencePath(r"\aside")
        session.paths.move(one, aside)
        session.paths.move(other, one)
        session.paths.move(aside, other)

    return step


def delete(path: PureSequencePath) -> Step:
    return lambda session: session.paths.delete_path(path, delete_sequences=True)


def move(source: PureSequencePath, destination: PureSequencePath) -> Step:
    return lambda session: session.paths.move(source, destination)


_FOLDER = PureSequencePath(r"\2026")
_NEW = PureSequencePath(r"\new\deep")

SCENARIOS: dict[str, Step] = {
    "create": create(_NEW / "sequence"),
    "create folders": lambda session: session.paths.create_path(_NEW),
    "create in an empty folder": create(EMPTY),
    "edit": lambda session: session.sequences.set_iteration_configuration(
        DRAFT, StepsConfiguration([ExecuteShot()])
    ),
    "annotate": all_of(annotate(DRAFT, "new"), annotate(FINISHED, "best")),
    "annotate while it runs": annotate(RUNNING, "long", "hot"),
    "shoot and annotate": all_of(shoot(RUNNING, 3), annotate(RUNNING, "third")),
    "annotate, move and annotate again": all_of(
        annotate(FINISHED, "here"), move(FINISHED, _NEW), annotate(_NEW, "there")
    ),
    "annotate and reset": all_of(
        annotate(FINISHED, "worse"), lambda session: session.sequences.reset_to_draft(FINISHED)
    ),
    "prepare": lambda session: session.sequences.set_preparing(
        DRAFT, {"laser": device(3)}, globals_(3)
    ),
    "run": lambda session: session.sequences.set_running(PREPARING, START),
    "finish": lambda session: session.sequences.set_finished(RUNNING, START),
    "interrupt": lambda session: session.sequences.set_interrupted(RUNNING, START),
    "crash": lambda session: session.sequences.set_crashed(RUNNING, crash(), START),
    "resume": lambda session: session.sequences.resume(CRASHED, START),
    "resume and shoot": all_of(
        lambda session: session.sequences.resume(CRASHED, START), shoot(CRASHED, 0)
    ),
    "crash while preparing": lambda session: session.sequences.set_crashed(
        PREPARING, crash(), START
    ),
    "first shot": all_of(
        lambda session: session.sequences.set_running(PREPARING, START), shoot(PREPARING, 0)
    ),
    "later shot": shoot(RUNNING, 3),
    "shot again": shoot(RUNNING, 1, replace=True, attempt=2),
    "shot again, twice, and finish": all_of(
        shoot(RUNNING, 1, replace=True, attempt=2),
        shoot(RUNNING, 1, replace=True, attempt=3),
        lambda session: session.sequences.set_finished(RUNNING, START),
    ),
    "shot of a new schema": shoot(RUNNING, 3, atoms=np.ones((3, 4, 5), np.float32)),
    "shot with a new label": shoot(RUNNING, 3, note="a text", trace=np.arange(2000.0)),
    "many shots": all_of(*(shoot(RUNNING, index) for index in range(3, 40))),
    "reset": lambda session: session.sequences.reset_to_draft(FINISHED),
    "reset and launch again": all_of(
        lambda session: session.sequences.reset_to_draft(FINISHED),
        launch(FINISHED),
        shoot(FINISHED, 7),
    ),
    "shoot, finish and reset": all_of(
        shoot(RUNNING, 3),
        lambda session: session.sequences.set_finished(RUNNING, START),
        lambda session: session.sequences.reset_to_draft(RUNNING),
    ),
    "delete a sequence": delete(FINISHED),
    "delete a folder": all_of(move(FINISHED, DRAFTS / "b"), delete(DRAFTS)),
    "shoot, finish and move": all_of(
        shoot(RUNNING, 3),
        lambda session: session.sequences.set_finished(RUNNING, START),
        move(RUNNING, _NEW / "moved"),
    ),
    "move": move(FINISHED, _NEW / "moved"),
    "move a folder": move(DRAFTS, _NEW),
    "move and create again": all_of(move(FINISHED, _NEW), create(FINISHED)),
    "delete and create again": all_of(delete(FINISHED), create(FINISHED), launch(FINISHED)),
    "swap": swap(FINISHED, DRAFT),
    "swap folders that hold each other's": all_of(
        move(DRAFTS, _NEW), move(FINISHED, DRAFTS), move(_NEW, _FOLDER / "finished")
    ),
    "dates": all_of(
        lambda session: session.paths.update_creation_date(EMPTY, START),
        lambda session: session.paths.update_creation_date(FINISHED, START),
    ),
    "globals": lambda session: session.set_global_parameters(globals_(9)),
    "devices": all_of(
        lambda session: session.default_device_configurations.update(laser=device(7)),
        lambda session: session.default_device_configurations.pop("camera"),
    ),
    "first result": find(RUNNING, 1),
    "later results": find(FINISHED, 1, 2, fit="bimodal"),
    "many results": lambda session: session.sequences.set_many_results(
        FINISHED, {"shot_index": range(3), "width": np.linspace(0, 1, 3)}
    ),
    "shoot and find": all_of(shoot(RUNNING, 3), find(RUNNING, 3), mark(RUNNING, 2)),
    "find and move": all_of(
        find(FINISHED, 2), move(FINISHED, _NEW / "moved"), mark(_NEW / "moved", 0)
    ),
    "find and reset": all_of(
        find(FINISHED, 2), lambda session: session.sequences.reset_to_draft(FINISHED)
    ),
    "reset, and find again": all_of(
        lambda session: session.sequences.reset_to_draft(FINISHED),
        launch(FINISHED),
        shoot(FINISHED, 7),
        find(FINISHED, 7),
    ),
    "note on a folder": lambda session: session.paths.set_note(DRAFTS, "Not measured yet."),
    "several sequences": all_of(
        create(_NEW), shoot(RUNNING, 5), move(CRASHED, DRAFTS / "c"), launch(DRAFT)
    ),
}
