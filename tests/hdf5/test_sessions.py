"""Sessions on a store of files: what more they promise than those of other storages."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from shotstore import (
    DamagedStorageError,
    ExperimentSession,
    PureSequencePath,
    State,
    StorageError,
    StorageLockTimeoutError,
    StorageManager,
    TransactionConflictError,
)
from shotstore.hdf5 import HDF5StorageManager, summaries
from shotstore.model import ParameterNamespace
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    bring_to,
    create,
    path,
    recipe,
    record,
)

ROOT = PureSequencePath.root()
OTHER = path(r"\other")


def test_a_session_that_only_reads_is_not_told_of_what_it_was_to_write(
    storage: StorageManager,
) -> None:
    """What it has only listed is moved away before it is looked at."""
    with storage.session() as session:
        create(session, PATH)
    looks: list[Callable[[ExperimentSession], object]] = [
        lambda reader: reader.sequences.get_state(PATH),
        lambda reader: reader.paths.get_path_creation_date(PATH),
    ]
    for number, look in enumerate(looks):
        with storage.session() as reader:
            assert reader.paths.get_children(PATH.parent or ROOT) == {PATH}
            with storage.session() as writer:
                writer.paths.move(PATH, path(rf"\moved {number}"))
            with pytest.raises(TransactionConflictError, match="moved, deleted or reset") as raised:
                look(reader)
            assert "write" not in str(raised.value)
        with storage.session() as writer:
            writer.paths.move(path(rf"\moved {number}"), PATH)


def test_what_was_only_listed_and_is_gone_is_told_apart_from_damage(
    storage: StorageManager,
) -> None:
    """It was not read in time, so there is no answer: neither an empty folder nor a broken file."""
    reads: list[Callable[[ExperimentSession], object]] = [
        lambda session: session.paths.get_children(path(r"\2026")),
        lambda session: session.paths.get_all_paths(),
        lambda session: session.sequences.get_contained_sequences(ROOT),
        lambda session: session.paths.get_path_creation_date(path(r"\2026")),
    ]
    for read in reads:
        with storage.session() as session:
            create(session)
        with storage.session() as reader:
            assert reader.paths.get_children(ROOT) == {path(r"\2026")}
            with storage.session() as writer:
                writer.paths.delete_path(path(r"\2026"), delete_sequences=True)
            with pytest.raises(TransactionConflictError, match="run the block again"):
                read(reader)


def test_a_sequence_whose_document_was_not_read_in_time_is_told_apart_from_damage(
    storage: StorageManager,
) -> None:
    with storage.session() as session:
        create(session)
    with storage.session() as reader:
        assert reader.sequences.is_sequence(PATH)
        with storage.session() as writer:
            writer.paths.delete_path(PATH, delete_sequences=True)
        with pytest.raises(TransactionConflictError, match="run the block again"):
            reader.sequences.get_state(PATH)


def test_conflicts_name_what_was_changed_and_not_its_files(storage: HDF5StorageManager) -> None:
    place = path("\\2026\\14:30 Rb→K?")
    changes: dict[str, tuple[Callable[[ExperimentSession], object], ...]] = {
        str(place): (
            lambda session: session.sequences.get_note(place),
            lambda session: session.sequences.set_note(place, "changed"),
        ),
        "the global parameters": (
            lambda session: session.get_global_parameters(),
            lambda session: session.set_global_parameters(PARAMETERS),
        ),
        "the device 'camera: 1'": (
            lambda session: session.default_device_configurations.get("camera: 1"),
            lambda session: session.default_device_configurations.update(
                {"camera: 1": DEVICES["camera"]}
            ),
        ),
    }
    with storage.session() as session:
        create(session, place)
    for name, (read, change) in changes.items():
        with storage.session() as late:
            read(late)
            with storage.session() as session:
                change(session)
            with pytest.raises(TransactionConflictError) as raised:
                late.paths.create_path("\\other")
            assert f"has changed {name} since" in str(raised.value)
    with storage.session() as reader:
        assert reader.paths.get_children(path(r"\2026")) == {place}
        with storage.session() as session:
            session.paths.delete_path(place, delete_sequences=True)
        with pytest.raises(TransactionConflictError) as raised:
            reader.sequences.get_state(place)
        assert f"moved, deleted or reset {place} since" in str(raised.value)


def test_a_session_that_read_what_was_changed_may_not_write(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        create(session, OTHER)
        session.set_global_parameters(PARAMETERS)
    third = path(r"\third")

    def run_and_record(session: ExperimentSession) -> None:
        session.sequences.set_running(OTHER, "now")
        record(session, OTHER)

    conflicts: dict[
        str, tuple[Callable[[ExperimentSession], object], Callable[[ExperimentSession], object]]
    ] = {
        "a state": (
            lambda session: session.sequences.get_state(OTHER),
            lambda session: session.sequences.set_preparing(OTHER, {}, PARAMETERS),
        ),
        "absence": (
            lambda session: session.paths.does_path_exists(third),
            lambda session: create(session, third),
        ),
        "a listing": (
            lambda session: session.paths.get_children(ROOT),
            lambda session: session.paths.create_path(path(r"\fourth")),
        ),
        "all states": (
            lambda session: session.sequences.get_sequences_in_state(State.DRAFT),
            lambda session: session.sequences.reset_to_draft(PATH),
        ),
        "globals": (
            lambda session: session.get_global_parameters(),
            lambda session: session.set_global_parameters(ParameterNamespace.empty()),
        ),
        "devices": (
            lambda session: len(session.default_device_configurations),
            lambda session: session.default_device_configurations.update(DEVICES),
        ),
        "shots": (
            lambda session: session.sequences.get_shots(OTHER),
            run_and_record,
        ),
        "the number of shots": (
            lambda session: session.sequences.get_stats(OTHER),
            lambda session: record(session, OTHER, 1),
        ),
        "a shot": (
            lambda session: session.sequences.get_all_shot_data(OTHER, 0),
            lambda session: record(session, OTHER, 2),
        ),
        "a deleted path": (
            lambda session: session.sequences.is_sequence(PATH),
            lambda session: session.paths.delete_path(PATH, delete_sequences=True),
        ),
    }
    for kind, (read, change) in conflicts.items():
        with storage.session() as late:
            read(late)
            with storage.session() as other:
                change(other)
            for _ in range(2):
                with pytest.raises(TransactionConflictError):
                    late.paths.create_path(path(r"\late"))
            seen = read(late)
        with storage.session() as session:
            assert not session.paths.does_path_exists(path(r"\late")), kind
            assert seen is not None


def test_a_session_that_read_what_was_not_changed_may_write(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)
        create(session, OTHER)
    with storage.session() as late:
        assert late.sequences.get_state(OTHER) is State.DRAFT
        assert late.sequences.get_state(PATH) is State.RUNNING
        assert late.get_global_parameters() == ParameterNamespace.empty()
        with storage.session() as other:
            record(other, index=1)
            create(other, path(r"\2026\new"))
            other.default_device_configurations.update(DEVICES)
        late.sequences.set_preparing(OTHER, {}, PARAMETERS)
    with storage.session() as session:
        assert session.sequences.get_state(OTHER) is State.PREPARING
        assert len(session.sequences.get_shots(PATH)) == 2


def test_a_writer_gives_up_after_the_timeout(storage: HDF5StorageManager) -> None:
    impatient = HDF5StorageManager(storage.root, lock_timeout=0)

    def write() -> None:
        with impatient.session() as session:
            create(session, OTHER)

    with ThreadPoolExecutor() as threads, storage.session() as session:
        create(session)
        with pytest.raises(StorageLockTimeoutError, match=f"process {os.getpid()} "):
            threads.submit(write).result()
    write()


def test_a_read_only_storage_does_not_write(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        create(session)
    archive: Any = HDF5StorageManager(storage.root, read_only=True)
    with archive.session() as session:
        with pytest.raises(StorageError, match="read_only=True"):
            create(session, OTHER)
        assert session.sequences.get_state(PATH) is State.DRAFT
    with pytest.raises(StorageError, match="read_only=True"), archive.session(write=True):
        pass


def test_what_the_files_of_a_sequence_still_say_is_read(storage: HDF5StorageManager) -> None:
    for state in (State.RUNNING, State.FINISHED):
        with storage.session() as session:
            bring_to(session, state, path(rf"\{state.value}"))
    for shots in storage.root.glob("sequences/*/shots.h5"):
        shots.write_bytes(b"not HDF5" * 1000)
    with storage.session() as session:
        for state in (State.RUNNING, State.FINISHED):
            sequence = path(rf"\{state.value}")
            assert session.sequences.get_state(sequence) is state
            assert session.sequences.get_iteration_configuration(sequence) == recipe()
            with pytest.raises(DamagedStorageError, match=r"shots\.h5"):
                session.sequences.get_shots(sequence)
    for shots in storage.root.glob("sequences/*/shots.h5"):
        shots.unlink()
    with storage.session() as session:
        assert session.sequences.get_state(path(r"\running")) is State.RUNNING
        with pytest.raises(DamagedStorageError, match=r"shots\.h5"):
            session.sequences.get_shot_parameters(path(r"\running"), 0)


def test_a_list_that_cannot_be_finished_says_so(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sequences that cannot be counted in time are not damaged, and not left out."""
    with storage.session() as session:
        bring_to(session, State.RUNNING)
    impatient = HDF5StorageManager(storage.root, lock_timeout=0.1)
    with ThreadPoolExecutor(1) as threads, ExitStack() as holding:
        find = summaries._look

        def find_and_be_late(*arguments: Any) -> Any:
            found = find(*arguments)
            threads.submit(holding.enter_context, storage._store.locks.exclusive()).result()
            return found

        monkeypatch.setattr(summaries, "_look", find_and_be_late)
        with impatient.session() as session, pytest.raises(StorageLockTimeoutError):
            list(session.sequences.get_summaries(ROOT))
        threads.submit(holding.close).result()
