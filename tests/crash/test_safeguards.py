"""The exploration finds a store that lacks any one of its safeguards."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from attrs import evolve

from shotstore.hdf5 import disk, rounds
from shotstore.hdf5.log import carrying_out, log_file
from shotstore.hdf5.log import record as log_record
from shotstore.hdf5.log.counter import Count, Counter
from shotstore.hdf5.log.folding import fold
from shotstore.hdf5.log.log_file import START, Entry, Header
from shotstore.hdf5.log.record import LogRecord
from shotstore.hdf5.open_shots import ShotsWriter
from shotstore.hdf5.overlay import OverlayFile
from shotstore.hdf5.rounds import Rounds
from tests.crash.explore import Extent, explore
from tests.crash.recording import Crash
from tests.crash.transactions import RUNS

Patch: TypeAlias = pytest.MonkeyPatch


def without_syncs_of_the_log(patch: Patch) -> None:
    """A record, and the header of a round, are written and not synced."""
    patch.setattr(disk.File, "sync_data", lambda *_: None)


def without_checksums(patch: Patch) -> None:
    """A record in the log is whole if it begins as one does."""
    patch.setattr(log_file, "_digest", lambda *_: b"checksum" * 4)


def with_rounds_that_are_all_the_same(patch: Patch) -> None:
    """What an earlier round has left is taken for a record of this one."""
    patch.setattr(
        log_file,
        "Header",
        lambda _, first, generation: Header(b"round" * 3 + b"!", first, generation),
    )


def without_syncs_at_checkpoints(patch: Patch) -> None:
    """A new round begins while what the old one did is in memory alone."""
    patch.setattr(Rounds, "make_durable", lambda *_: None)


def with_the_new_round_first(patch: Patch) -> None:
    """A new round begins before what the old one did is synced."""
    make_durable, begin_round = Rounds.make_durable, Rounds.begin_round
    late: list[Callable[[], LogRecord]] = []

    def begin_first(self: Rounds, *arguments: Any) -> None:
        records = [done() for done in late]
        late.clear()
        begin_round(self, *arguments)
        for record in records:
            make_durable(self, partial(evolve, record))

    patch.setattr(Rounds, "make_durable", lambda _, done: late.append(done))
    patch.setattr(Rounds, "begin_round", begin_first)


def with_a_counter_that_is_always_at_rest(patch: Patch) -> None:
    """Nobody is told that a commit is being carried out."""
    write = Counter.write

    def write_at_rest(self: Counter, count: Count) -> None:
        write(self, evolve(count, is_unfinished=False))

    patch.setattr(Counter, "write", write_at_rest)


def without_syncs_of_large_tails(patch: Patch) -> None:
    """Frames, which lie in their file alone, are not synced before the commit."""
    patch.setattr(OverlayFile, "sync_tail", lambda *_: None)


def with_records_in_the_wrong_order(patch: Patch) -> None:
    """The first record of a round is carried out last."""

    def fold_backwards(records: Iterable[LogRecord]) -> LogRecord:
        return fold(reversed([*records]))

    patch.setattr(rounds, "fold", fold_backwards)


def without_syncs_of_new_files(patch: Patch) -> None:
    """A new shots file comes to its place before its content is on the disk."""
    patch.setattr(ShotsWriter, "flush", lambda self: self.shots.flush())


def without_checkpoints(patch: Patch) -> None:
    """A record with moves does not stand alone in the log."""
    patch.setattr(Rounds, "checkpoint", lambda *_, **__: None)


def without_distrust(patch: Patch) -> None:
    """Who opens a store alone believes the counter."""
    patch.setattr(Rounds, "distrust", lambda *_: None)


def without_the_mark(patch: Patch) -> None:
    """Nothing tells that all has departed which moves."""
    patch.setattr(carrying_out._Carrying, "_mark_departed", lambda *_: None)


def without_a_sync_of_the_last_record(patch: Patch) -> None:
    """A record that a killed process has written, and not synced, is carried out."""
    patch.setattr(Rounds, "make_durable_in_log", lambda *_: None)


def with_acknowledged_records_written_again(patch: Patch) -> None:
    """What a power loss has left of the log is overwritten where it lies."""

    def write_again(self: Rounds, last: Entry) -> None:
        self.log.write_again(last)

    patch.setattr(Rounds, "make_durable_in_log", write_again)


def without_directory_syncs(patch: Patch) -> None:
    """No name that is made or removed is ever made durable."""
    patch.setattr(disk, "sync_directory", lambda *_: None)


def without_file_syncs(patch: Patch) -> None:
    """Nothing that is written is ever made durable."""
    patch.setattr(disk.File, "sync", lambda *_: None)


def with_the_work_first(patch: Patch) -> None:
    """What a transaction says is done before its record is in the log."""
    append = Rounds.append

    def work_first(self: Rounds, content: bytes, before: Count) -> int:
        carrying_out.carry_out(self._root, log_record.load(content))
        return append(self, content, before)

    patch.setattr(Rounds, "append", work_first)


@pytest.mark.parametrize(
    ("name", "cripple"),
    [
        ("later shot", without_syncs_of_the_log),
        ("later shot", without_checksums),
        ("a log that is begun anew in a row", with_rounds_that_are_all_the_same),
        ("later shot", without_syncs_at_checkpoints),
        ("later shot", with_the_new_round_first),
        ("later shot", with_a_counter_that_is_always_at_rest),
        ("shots with frames in a row", without_syncs_of_large_tails),
        ("documents in a row", with_records_in_the_wrong_order),
        ("delete and create again", without_syncs_of_new_files),
        ("shots and moves in a row", without_checkpoints),
        ("later shot", without_distrust),
        ("swap", without_the_mark),
        ("create", without_directory_syncs),
        ("swap", without_directory_syncs),
        ("later shot", without_file_syncs),
        ("create", without_file_syncs),
        ("swap", with_the_work_first),
    ],
)
def test_the_exploration_finds_a_store_without_one_of_its_safeguards(
    name: str, cripple: Callable[[Patch], None], tmp_path: Path, monkeypatch: Patch
) -> None:
    cripple(monkeypatch)
    report = explore(
        name, RUNS[name], tmp_path, Extent(sample=300, mixes=40, recoveries=10, only_one=True)
    )
    assert report.violations


@pytest.mark.parametrize(
    ("cripple", "is_meant"),
    [
        (without_a_sync_of_the_last_record, lambda crash: is_killed_in_the_sync_of_a_record(crash)),
        (with_acknowledged_records_written_again, lambda crash: not crash.was_killed),
    ],
)
def test_the_exploration_finds_a_recovery_that_does_not_take_care_of_the_last_record(
    cripple: Callable[[Patch], None],
    is_meant: Callable[[Crash], bool],
    tmp_path: Path,
    monkeypatch: Patch,
) -> None:
    cripple(monkeypatch)
    extent = Extent(recoveries=300, only_one=True, only=is_meant)
    assert explore("annotate", RUNS["annotate"], tmp_path, extent).violations


def is_killed_in_the_sync_of_a_record(crash: Crash) -> bool:
    """Whether a record was written by then, and not synced."""
    changes = crash.recording.changes
    if not crash.was_killed or crash.count in (0, len(changes)):
        return False
    last, following = changes[crash.count - 1], changes[crash.count]
    return last.kind == "write" and last.offset >= START and following.kind == "sync"
