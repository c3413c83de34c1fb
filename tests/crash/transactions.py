"""The transactions that are explored, one by one, and several in a row."""

import errno
import os
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeAlias

import numpy as np
from attrs import frozen

from shotstore import CommitUncertainError, PureSequencePath
from shotstore.copy import copy_path
from shotstore.copy.transfer import transfer
from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.hdf5.disk import Operation
from tests.crash.failing_place import FailingPlace
from tests.crash.machine import both
from tests.crash.scenarios import (
    DRAFT,
    ELSEWHERE,
    FINISHED,
    PREPARING,
    RUNNING,
    SCENARIOS,
    START,
    Step,
    all_of,
    annotate,
    create,
    globals_,
    launch,
    move,
    shoot,
    swap,
)

Act: TypeAlias = Callable[[HDF5StorageManager], object]


def in_a_session(step: Step) -> Act:
    """The transaction that does the step."""

    def act(storage: HDF5StorageManager) -> None:
        with storage.session() as session:
            step(session)

    return act


def restore(storage: HDF5StorageManager) -> None:
    """The transaction that brings back what `populate` has deleted."""
    storage.trash.restore(storage.trash.entries()[0])


def empty_trash(storage: HDF5StorageManager) -> None:
    """Remove what `populate` has deleted."""
    storage.trash.empty()


def recover(storage: HDF5StorageManager) -> None:
    """Save what can be read of a sequence that `damage` has spoilt."""
    storage.recover(FINISHED)


def damage(storage: HDF5StorageManager) -> None:
    """Spoil a frame of a sequence."""
    path = storage.root / "sequences" / "2026" / "finished" / "shots.h5"
    content = bytearray(path.read_bytes())
    place = content.index(np.full((16, 24), 1, np.uint16).tobytes())
    content[place] ^= 1
    path.write_bytes(content)


def make_other_store(storage: HDF5StorageManager) -> None:
    """Record a sequence in another store, beside the directory that is watched."""
    with (
        closing(HDF5StorageManager(_other_place(storage))) as other,
        other.session() as session,
    ):
        create(ELSEWHERE)(session)
        launch(ELSEWHERE)(session)
        for index in (2, 0, 1):
            shoot(ELSEWHERE, index)(session)
        session.sequences.set_finished(ELSEWHERE, START)


def _other_place(storage: HDF5StorageManager) -> Path:
    return storage.root.parent.parent / "other"


def copy_files(storage: HDF5StorageManager) -> None:
    """Copy a sequence from another store, as files."""
    other = HDF5StorageManager(_other_place(storage), read_only=True)
    copy_path(ELSEWHERE, other, storage, progress=False)


def copy_shot_by_shot(storage: HDF5StorageManager) -> None:
    """Copy the same through the interfaces, as it comes from a database."""
    other = HDF5StorageManager(_other_place(storage), read_only=True)
    with (
        other.session() as source,
        storage.receiving() as receive,
        receive(ELSEWHERE) as destination,
    ):
        transfer(ELSEWHERE, source, destination, lambda _: None)


def keep_back(step: Step, place: str) -> Act:
    """The transaction that does the step, and cannot change a place once it is committed."""

    def act(storage: HDF5StorageManager) -> None:
        record = disk.observe
        disk.observe = both(FailingPlace(storage.root / place, errno.EIO).change, record)
        try:
            with suppress(CommitUncertainError):
                in_a_session(step)(storage)
        finally:
            disk.observe = record

    return act


PREPARATIONS: dict[Act, Act] = {
    recover: damage,
    copy_files: make_other_store,
    copy_shot_by_shot: make_other_store,
}
"""What is done to the populated store, or beside it, before a transaction that needs it."""


def prepare(act: Act, storage: HDF5StorageManager) -> None:
    """Make what a transaction needs besides a store that is populated."""
    if act in PREPARATIONS:
        PREPARATIONS[act](storage)


TRANSACTIONS: dict[str, Act] = {
    **{name: in_a_session(step) for name, step in SCENARIOS.items()},
    "restore from trash": restore,
    "empty trash": empty_trash,
    "recover": recover,
    "copy files from another store": copy_files,
    "copy shot by shot": copy_shot_by_shot,
    "keep back a shot": keep_back(SCENARIOS["shoot and annotate"], "sequences/2026/running"),
    "keep back a part": keep_back(SCENARIOS["several sequences"], "sequences/2026/crashed"),
    "keep back where it goes": keep_back(SCENARIOS["several sequences"], "sequences/drafts/c"),
}


def checkpoint(storage: HDF5StorageManager) -> None:
    """What is done in a pause."""
    store = storage._store
    release = store.acquire_write(None)
    try:
        store.commits.rounds.checkpoint()
    finally:
        release()


def close(storage: HDF5StorageManager) -> None:
    """Stop using the store, for a moment."""
    storage.close()


def failing_syncs(act: Act, place: str, times: int) -> Act:
    """Do something while syncs of a file or a directory of the store fail so many times."""

    def failing(storage: HDF5StorageManager) -> None:
        record, left = disk.observe, times

        def fail(operation: Operation) -> None:
            nonlocal left
            is_meant = operation.path == str(storage.root / place)
            if left and is_meant and operation.kind.startswith("sync"):
                left -= 1
                raise OSError(errno.EIO, os.strerror(errno.EIO), operation.path)

        disk.observe = both(fail, record)
        try:
            with suppress(CommitUncertainError, OSError):
                act(storage)
        finally:
            disk.observe = record

    return failing


def give_up(step: Step) -> Act:
    """A session that does the step and is left by an exception."""

    def act(storage: HDF5StorageManager) -> None:
        with suppress(ZeroDivisionError), storage.session() as session:
            step(session)
            raise ZeroDivisionError

    return act


def frames(path: PureSequencePath, index: int) -> Step:
    """Record a shot with so much data that it is not written to the log."""
    return shoot(path, index, frame=np.full((200, 200), index, np.uint16))


@frozen
class Run:
    """Some transactions, one after the other."""

    acts: list[Act]
    blocks: int = 40
    """For how many there is room in the log at first."""
    most: int = 80
    """For how many, once it has grown."""


def _row(*steps: Step) -> list[Act]:
    return [in_a_session(step) for step in steps]


_NEW = PureSequencePath(r"\new\deep\sequence")

_LOG, _TX = ".shotstore/log", ".shotstore/tx"
_SHOTS, _DRAFT = "sequences/2026/running/shots.h5", "sequences/drafts/a"


def _failing_runs() -> dict[str, Run]:
    one, more = in_a_session(shoot(RUNNING, 3)), _row(shoot(RUNNING, 4), annotate(DRAFT, "more"))
    edit = in_a_session(annotate(DRAFT, "new"))
    moving = in_a_session(swap(FINISHED, DRAFT))
    return {
        f"{what} fails {times} times in a row": Run(acts)
        for times in (1, 2)
        for what, acts in {
            "the sync of a record": [failing_syncs(one, _LOG, times), *more],
            "the sync of a header": [one, edit, failing_syncs(checkpoint, _LOG, times), *more],
            "the sync of shots": [one, edit, failing_syncs(checkpoint, _SHOTS, times), *more],
            "the sync of a document": [
                one,
                edit,
                failing_syncs(checkpoint, f"{_DRAFT}/sequence.json", times),
                *more,
            ],
            "the sync of a directory": [edit, failing_syncs(checkpoint, _DRAFT, times), *more],
            "the sync of slots": [edit, failing_syncs(checkpoint, _TX, times), *more],
            "a sync while something moves": [failing_syncs(moving, _TX, times), *more],
            "a sync where something moves": [failing_syncs(moving, "sequences/2026", times), *more],
        }.items()
    }


RUNS: dict[str, Run] = {
    **{name: Run([act, checkpoint]) for name, act in TRANSACTIONS.items()},
    "shots of two sequences in a row": Run(
        [
            *_row(lambda session: session.sequences.set_running(PREPARING, START)),
            *_row(*(shoot(path, index) for index in (3, 4) for path in (RUNNING, PREPARING))),
            *_row(annotate(RUNNING, "two"), all_of(shoot(RUNNING, 5), shoot(PREPARING, 5))),
            checkpoint,
            *_row(shoot(PREPARING, 6)),
        ]
    ),
    "shots with frames in a row": Run(
        [
            *_row(frames(RUNNING, 3), shoot(RUNNING, 4), frames(RUNNING, 5)),
            checkpoint,
            *_row(frames(RUNNING, 6)),
        ]
    ),
    "frames of two sequences in a row": Run(
        [
            *_row(lambda session: session.sequences.set_running(PREPARING, START)),
            *_row(
                all_of(frames(RUNNING, 3), frames(PREPARING, 0)),
                all_of(shoot(RUNNING, 4), frames(PREPARING, 1)),
            ),
        ]
    ),
    "the life of a sequence in a row": Run(
        [
            *_row(create(_NEW), annotate(_NEW, "new"), launch(_NEW), shoot(_NEW, 0)),
            *_row(shoot(_NEW, 1), annotate(_NEW, "good")),
            *_row(lambda session: session.sequences.set_finished(_NEW, START)),
            *_row(annotate(_NEW, "best")),
        ]
    ),
    "documents in a row": Run(
        [
            *_row(annotate(DRAFT, "one"), lambda session: session.paths.create_path(_NEW)),
            *_row(create(_NEW / "below"), annotate(DRAFT, "two"), annotate(_NEW / "below", "a")),
            *_row(lambda session: session.set_global_parameters(globals_(9))),
            *_row(lambda session: session.set_global_parameters(globals_(10))),
            *_row(annotate(DRAFT, "three")),
        ]
    ),
    "a log that grows in a row": Run(
        _row(*(shoot(RUNNING, index) for index in range(3, 11))), blocks=8, most=16
    ),
    "a log that is begun anew in a row": Run(
        _row(
            *(shoot(RUNNING, index) for index in (3, 4)),
            annotate(RUNNING, "full"),
            *(shoot(RUNNING, index) for index in (5, 6, 7)),
        ),
        blocks=9,
        most=9,
    ),
    "shots and moves in a row": Run(
        [
            *_row(shoot(RUNNING, 3), annotate(FINISHED, "here"), move(FINISHED, _NEW)),
            *_row(shoot(RUNNING, 4), annotate(_NEW, "there"), swap(_NEW, DRAFT)),
            *_row(annotate(DRAFT, "back"), shoot(RUNNING, 5)),
        ]
    ),
    "sessions that are given up in a row": Run(
        [
            *_row(shoot(RUNNING, 3)),
            give_up(shoot(RUNNING, 4, trace=np.arange(3000.0))),
            *_row(frames(RUNNING, 4)),
            give_up(frames(RUNNING, 5)),
            give_up(all_of(create(_NEW), annotate(DRAFT, "never"), shoot(RUNNING, 6))),
            *_row(shoot(RUNNING, 5)),
        ]
    ),
    "new labels in a row": Run(
        _row(
            shoot(RUNNING, 3, note="a text"),
            shoot(RUNNING, 4, trace=np.arange(2000.0)),
            shoot(RUNNING, 5, atoms=np.ones((3, 4, 5), np.float32)),
        )
    ),
    **_failing_runs(),
    "closed between in a row": Run(
        [
            *_row(shoot(RUNNING, 3)),
            close,
            *_row(frames(RUNNING, 4)),
            close,
            *_row(shoot(RUNNING, 5)),
        ]
    ),
}
