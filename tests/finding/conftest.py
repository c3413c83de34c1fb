"""A lab with a few runs, in each kind of storage."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shotstore import (
    ArangeLoop,
    ExecuteShot,
    ExperimentSession,
    LinspaceLoop,
    ParameterNamespace,
    State,
    Step,
    StepsConfiguration,
    StorageManager,
    VariableDeclaration,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.disk import File
from shotstore.hdf5.names import SHOTS_FILE
from shotstore.memory import InMemoryStorageManager
from shotstore.model import Data, Parameter, quantity
from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import ERROR, START, STOP, TIME_LANES, path, record

SHOT = ExecuteShot()
DAY = timedelta(days=1)
GLOBALS = ParameterNamespace.from_mapping(
    {"offset": "2 MHz", "mot": {"power": "3 mW", "gradient": "10 G/cm"}}
)


def run(
    session: ExperimentSession,
    name: str,
    steps: list[Step],
    shots: int = 0,
    state: State = State.FINISHED,
    day: int = 0,
    parameters: Callable[[int], dict[str, Parameter]] = lambda _: {},
    data: Callable[[int], dict[str, Data]] = lambda index: {"atom_number": index},
) -> None:
    """Record a sequence, so many days after the first one."""
    sequences, at = session.sequences, path(name)
    sequences.create(at, StepsConfiguration(steps), TIME_LANES)
    session.paths.update_creation_date(at, START + day * DAY - timedelta(hours=1))
    if state is State.DRAFT:
        return
    sequences.set_preparing(at, {}, GLOBALS)
    sequences.set_running(at, START + day * DAY)
    for index in range(shots):
        record(session, at, index, parameters(index), data(index))
    match state:
        case State.FINISHED:
            sequences.set_finished(at, STOP + day * DAY)
        case State.INTERRUPTED:
            sequences.set_interrupted(at, STOP + day * DAY)
        case State.CRASHED:
            sequences.set_crashed(at, ERROR, STOP + day * DAY)


def populate(storage: StorageManager) -> None:
    """Put the runs into an empty storage."""
    with storage.session() as session:
        session.set_global_parameters(GLOBALS)
        run(
            session,
            r"\2026\11\22\detuning",
            [LinspaceLoop("mot.detuning", "-10 MHz", "10 MHz", 21, [SHOT])],
            shots=21,
        )
        run(
            session,
            r"\2026\11\23\detuning, fine",
            [
                VariableDeclaration("hold_time", "20 ms"),
                LinspaceLoop("mot.detuning", "-500 kHz", "500 kHz", 5, [SHOT]),
            ],
            shots=3,
            state=State.INTERRUPTED,
            day=1,
            data=lambda index: {"atom_number": index, "Camera\\atoms": float(index)},
        )
        run(
            session,
            r"\2026\11\23\hold",
            [ArangeLoop("hold_time", "0 s", "1 s", "100 ms", [SHOT])],
            shots=10,
            day=1,
            parameters=lambda index: {"hold_time": quantity(index / 10, "s")},
        )
        run(
            session,
            r"\2026\12\01\relative to the offset",
            [LinspaceLoop("mot.detuning", "offset", "offset + 1 MHz", 3, [SHOT])],
            shots=2,
            state=State.CRASHED,
            day=9,
            parameters=lambda index: {
                "mot.detuning": quantity(7.0 + index, "MHz"),
                "repetition": index,
            },
        )
        run(
            session,
            r"\2026\12\01\not yet begun",
            [LinspaceLoop("mot.detuning", "offset", "offset + 1 MHz", 3, [SHOT])],
            state=State.RUNNING,
            day=9,
        )
        run(
            session,
            r"\drafts\two",
            [
                LinspaceLoop("mot.detuning", "50 MHz", "60 MHz", 2, [SHOT]),
                LinspaceLoop("repetition", "1", "5", 5, [SHOT]),
            ],
            state=State.DRAFT,
            day=20,
        )
        session.sequences.set_tags(path(r"\2026\11\22\detuning"), {"good", "for the paper"})
        session.sequences.set_tags(path(r"\2026\11\23\hold"), {"good"})
        session.sequences.set_note(path(r"\2026\11\23\hold"), "The laser\nwas unstable")


@pytest.fixture(params=["files", "sqlite", "memory"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> StorageManager:
    """A storage with the runs."""
    storage: StorageManager
    match request.param:
        case "files":
            storage = HDF5StorageManager(tmp_path / "lab", serializer=serializer())
        case "sqlite":
            storage = SQLiteStorageManager(
                SQLiteConfig(tmp_path / "lab.db"), serializer=serializer()
            )
            storage.upgrade()
        case _:
            storage = InMemoryStorageManager(serializer=serializer())
    populate(storage)
    return storage


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The shots files that are opened, and those that were."""
    found: list[Path] = []
    begin = File.__init__

    def note(file: File, path: Path, mode: str) -> None:
        if path.name == SHOTS_FILE:
            found.append(path)
        begin(file, path, mode)

    with monkeypatch.context() as patch:
        patch.setattr(File, "__init__", note)
        yield found
