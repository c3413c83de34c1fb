"""The file of the log, and the counter: what a power loss or a killed process may leave of them."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shotstore import DamagedStorageError
from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.log import boot, counter
from shotstore.hdf5.log.counter import Count, Counter
from shotstore.hdf5.log.log_file import SMALLEST, START, Entry, LogFile, size_in_log
from shotstore.hdf5.overlay import PAGE


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    """An empty log, whose first record is the store's first."""
    log = LogFile(tmp_path / "log")
    log.create(1)
    log.read_header()
    yield log
    log.close()


def fill(log: LogFile, *contents: bytes) -> int:
    """Write records from the beginning of the round on; return where the last one ends."""
    end = START
    for number, content in enumerate(contents, log.header.first):
        end = log.append(number, content, end)
    return end


def said(log: LogFile) -> list[bytes]:
    """What the records of the round say, by who opens the log anew."""
    again = LogFile(log.path)
    try:
        again.read_header("r")
        return [entry.content for entry in again.entries()]
    finally:
        again.close()


def change(path: Path, offset: int, piece: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(piece)


def flip(path: Path, offset: int) -> None:
    content = path.read_bytes()
    change(path, offset, bytes([content[offset] ^ 1 << offset % 8]))


def test_an_empty_log_is_full_of_zeros_that_are_synced(tmp_path: Path) -> None:
    changes: list[disk.Operation] = []
    disk.observe = changes.append
    try:
        LogFile(tmp_path / "log").create(1)
    finally:
        disk.observe = None
    kinds = [each.kind for each in changes]
    assert kinds == ["create", "write", "write", "sync", "rename", "sync names"]
    content = (tmp_path / "log").read_bytes()
    assert len(content) == SMALLEST
    assert not any(content[PAGE:])


@pytest.mark.parametrize("size", [0, 1, PAGE - 64, PAGE - 63, 50_000])
def test_a_record_takes_whole_blocks_and_one_sync(log: LogFile, size: int) -> None:
    changes: list[disk.Operation] = []
    disk.observe = changes.append
    try:
        end = log.append(1, b"x" * size, START)
    finally:
        disk.observe = None
    assert [each.kind for each in changes] == ["write", "sync"]
    assert end - START == size_in_log(size) == len(changes[0].data)
    assert end % PAGE == 0
    assert said(log) == [b"x" * size]
    assert log.path.stat().st_size == SMALLEST


def test_records_are_read_in_their_order_or_from_one_on(log: LogFile) -> None:
    ends = [log.append(1, b"one", START)]
    ends.append(log.append(2, b"two" * 5000, ends[-1]))
    ends.append(log.append(3, b"", ends[-1]))
    first, second, third = log.entries()
    assert first == Entry(1, b"one", START, ends[0])
    assert (second.number, second.start, second.end) == (2, ends[0], ends[1])
    assert third == Entry(3, b"", ends[1], ends[2])
    assert log.entries(ends[0]) == [second, third]
    assert log.entries(ends[2]) == []
    assert said(log) == [b"one", b"two" * 5000, b""]


@pytest.mark.parametrize("blocks", range(4))
def test_the_last_record_is_not_one_if_a_part_of_it_is_missing(log: LogFile, blocks: int) -> None:
    end = fill(log, b"one", b"two")
    before = log.path.read_bytes()
    fill(log, b"one", b"two", b"3" * 4 * PAGE)
    # Any one block of it has not reached the disk.
    change(log.path, end + blocks * PAGE, before[end : end + PAGE])
    assert said(log) == [b"one", b"two"]
    # Who goes on writes over what is left of it.
    log.append(3, b"three", end)
    assert said(log) == [b"one", b"two", b"three"]


def test_any_flipped_bit_of_the_last_record_is_noticed(log: LogFile) -> None:
    end = fill(log, b"one")
    stop = log.append(2, b"two", end)
    for offset in range(end, end + size_in_log(3)):
        flip(log.path, offset)
        # What fills its last block up means nothing.
        assert said(log) == ([b"one"] if offset < end + 64 + 3 else [b"one", b"two"])
        flip(log.path, offset)
    assert stop == end + PAGE


@pytest.mark.parametrize("number", [1, 2])
def test_a_record_that_is_damaged_before_one_that_is_not_is_told(log: LogFile, number: int) -> None:
    fill(log, b"one", b"two", b"three")
    flip(log.path, START + (number - 1) * PAGE + 20 * number)
    with pytest.raises(DamagedStorageError, match=f"record {number} in it is not whole") as told:
        said(log)
    assert str(log.path) in str(told.value)
    assert "Restore the store from a backup" in str(told.value)
    assert "move it out of the store" in str(told.value)


def test_a_record_that_is_missing_between_others_is_told(log: LogFile) -> None:
    end = fill(log, b"one")
    log.append(3, b"three", end)
    with pytest.raises(DamagedStorageError, match="record 2 in it is not whole"):
        said(log)


def test_a_round_that_does_not_begin_with_its_first_record_is_told(log: LogFile) -> None:
    log.append(2, b"two", START)
    with pytest.raises(DamagedStorageError, match="record 1 in it is not whole"):
        said(log)


def test_what_an_earlier_round_has_left_is_not_a_record(log: LogFile) -> None:
    fill(log, b"one", b"two", b"three")
    log.begin_round(4)
    assert said(log) == []
    fill(log, b"four")
    assert said(log) == [b"four"]
    log.begin_round(5)
    assert fill(log) == START
    assert said(log) == []


def test_a_record_of_another_log_is_not_one(log: LogFile, tmp_path: Path) -> None:
    other = LogFile(tmp_path / "other")
    other.create(1)
    other.read_header()
    end = fill(other, b"of another store")
    other.close()
    change(log.path, START, other.path.read_bytes()[START:end])
    assert said(log) == []


def test_a_length_beyond_the_file_is_not_believed(log: LogFile) -> None:
    for length in (2**63, 2**64 - 1, SMALLEST):
        fill(log, b"one")
        change(log.path, START + 24, length.to_bytes(8, "little"))
        assert said(log) == []


def test_a_log_that_was_cut_has_what_is_left(log: LogFile) -> None:
    end = fill(log, b"one", b"two")
    os.truncate(log.path, end)
    assert said(log) == [b"one", b"two"]
    os.truncate(log.path, end - PAGE + 10)
    assert said(log) == [b"one"]


# Headers


def slot(log: LogFile) -> int:
    """Where the header of the round lies."""
    return log.header.generation % 2 * PAGE


def test_headers_take_turns(log: LogFile) -> None:
    rounds = [log.header.round]
    for first in (2, 3, 4):
        before = slot(log)
        log.begin_round(first)
        assert slot(log) != before
        rounds.append(log.header.round)
        again = LogFile(log.path)
        assert again.read_header("r") == log.header
        assert again.header.first == first
        again.close()
    assert len({*rounds}) == 4


def test_the_header_before_counts_while_the_next_is_torn(log: LogFile) -> None:
    fill(log, b"one", b"two")
    log.begin_round(3)
    for offset in range(72):
        flip(log.path, slot(log) + offset)
        assert said(log) == [b"one", b"two"]  # which are carried out once more
        flip(log.path, slot(log) + offset)
        assert said(log) == []


@pytest.mark.parametrize("left", [b"", bytes(START), b"\xff" * START, b"SHOTSLOG" * 1024])
def test_a_log_without_a_header_is_told(log: LogFile, left: bytes) -> None:
    log.path.write_bytes(left)
    with pytest.raises(DamagedStorageError, match="no header that is whole") as told:
        log.read_header()
    assert str(log.path) in str(told.value)
    assert "backup" in str(told.value)


def test_a_missing_log_is_missing(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    assert not log.exists()
    with pytest.raises(FileNotFoundError):
        log.read_header()


def test_a_log_that_was_made_anew_is_another_file(log: LogFile) -> None:
    other = LogFile(log.path)
    other.read_header()
    fill(log, b"one")
    assert other.is_as_read()
    log.create(2)
    assert not other.is_as_read()
    assert log.read_header().first == 2
    assert log.is_as_read()
    assert said(log) == []
    assert [each.name for each in log.path.parent.iterdir()] == ["log"]
    other.close()


@pytest.mark.parametrize("size", [2 * SMALLEST, SMALLEST + PAGE, SMALLEST // 2])
def test_a_log_that_grows_or_shrinks_is_the_same_file(log: LogFile, size: int) -> None:
    fill(log, b"one")
    log.resize(size)
    assert log.size == log.path.stat().st_size == size
    assert not any(log.path.read_bytes()[SMALLEST:])
    assert said(log) == [b"one"]
    log.begin_round(2)
    fill(log, b"x" * (size - START - 64))
    assert said(log) == [b"x" * (size - START - 64)]
    assert log.path.stat().st_size == size
    assert log.is_as_read()


def test_without_space_to_grow_a_log_is_as_long_as_it_was(log: LogFile) -> None:
    fill(log, b"one")
    with pytest.raises(OSError, match="the disk fails"):
        failing(1, lambda: log.resize(2 * SMALLEST))
    assert log.size == log.path.stat().st_size == SMALLEST
    assert said(log) == [b"one"]


def test_what_a_killed_process_has_left_of_a_log_is_in_nobodys_way(log: LogFile) -> None:
    staged = log.path.with_name("log.new")
    staged.write_bytes(b"half a log")
    fill(log, b"one")
    assert said(log) == [b"one"]
    log.create(2)
    assert not staged.exists()


# A disk that fails


class Failing:
    """Syncs that fail, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.done: list[disk.Operation] = []

    def __call__(self, operation: disk.Operation) -> None:
        self.done.append(operation)
        if operation.kind == "sync" and self.times:
            self.times -= 1
            raise OSError(errno.EIO, "the disk fails", operation.path)


def failing(times: int, act: Callable[[], object]) -> list[disk.Operation]:
    disk.observe = failure = Failing(times)
    try:
        act()
    finally:
        disk.observe = None
    return failure.done


def test_what_could_not_be_synced_is_written_anew_before_another_try(log: LogFile) -> None:
    for act in (lambda: fill(log, b"one"), lambda: log.begin_round(2)):
        first, _, again, _ = failing(1, act)
        assert first == again
        assert first.kind == "write"
    assert log.header.first == 2


def test_a_record_that_cannot_be_synced_is_an_error(log: LogFile) -> None:
    with pytest.raises(OSError, match="the disk fails"):
        failing(2, lambda: fill(log, b"one"))
    assert said(log) == [b"one"]  # of this machine's memory: whether it is on the disk is not known


def test_a_header_that_cannot_be_synced_does_not_count(log: LogFile) -> None:
    fill(log, b"one")
    before = log.header
    with pytest.raises(OSError, match="the disk fails"):
        failing(2, lambda: log.begin_round(2))
    assert log.header == before
    again = LogFile(log.path)
    assert again.read_header("r") == before
    again.close()
    assert said(log) == [b"one"]
    log.begin_round(2)
    assert said(log) == []


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 3 * PAGE)),
        st.tuples(st.sampled_from(["begin", "open"]), st.just(0)),
        st.tuples(st.just("grow"), st.integers(1, 20)),
        st.tuples(st.just("tear"), st.integers(0, 3 * PAGE)),
    ),
    max_size=20,
)


@settings(max_examples=200)
@given(_steps)
def test_a_log_holds_what_was_written_since_the_round_began(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as directory:
        log = LogFile(Path(directory, "log"))
        log.create(1)
        log.read_header()
        expected: list[bytes] = []
        number, end = 1, START
        for what, argument in steps:
            match what:
                case "append":
                    content = b"%d " % number * (argument // 2)
                    end = log.append(number, content, end)
                    expected.append(content)
                    number += 1
                case "begin":
                    log.begin_round(number)
                    expected, end = [], START
                case "grow":
                    log.resize(SMALLEST + argument * PAGE)
                case "tear":
                    before = log.path.read_bytes()[end : end + PAGE]
                    log.append(number, b"x" * argument, end)
                    change(log.path, end, before)
                case "open":
                    log.close()
                    log = LogFile(log.path)
                    log.read_header()
            assert [entry.content for entry in log.entries()] == expected
            assert log.header.first == number - len(expected)
        log.close()


# The counter

COUNT = Count(7, b"r" * 16, 12_288, is_unfinished=False, boot=boot.boot_id())


@pytest.fixture
def count(tmp_path: Path) -> Counter:
    return Counter(tmp_path / "commits")


def test_a_count_is_read_as_it_was_written(count: Counter) -> None:
    assert not count.exists()
    for commits in (7, 2**40, 0):
        written = Count(commits, b"r" * 16, 12_288, is_unfinished=bool(commits % 2))
        count.write(written)
        found = count.read()
        assert (found.commits, found.round, found.end) == (commits, b"r" * 16, 12_288)
        assert found.is_unfinished is written.is_unfinished
        assert found.boot == boot.boot_id()
    assert count.exists()


def test_a_count_is_written_in_the_place_of_the_one_before_and_not_synced(count: Counter) -> None:
    count.write(COUNT)
    changes: list[disk.Operation] = []
    disk.observe = changes.append
    try:
        count.write(COUNT)
    finally:
        disk.observe = None
    assert [each.kind for each in changes] == ["write"]


def test_a_count_that_is_missing_has_the_log_carried_out(count: Counter) -> None:
    assert count.read() == Count(0)
    assert count.read().is_unfinished


def test_a_count_that_is_torn_has_the_log_carried_out(count: Counter) -> None:
    count.write(COUNT)
    content = count.path.read_bytes()
    for offset in range(len(content)):
        flip(count.path, offset)
        assert count.read() == Count(0), offset
        flip(count.path, offset)
    assert count.read() == COUNT
    for left in (b"", content[:-1], bytes(len(content)), b"12"):
        count.path.write_bytes(left)
        assert count.read() == Count(0)


def test_what_stands_behind_a_count_is_not_read(count: Counter) -> None:
    count.write(COUNT)
    content = count.path.read_bytes()
    for more in (b"\0", content):
        count.path.write_bytes(content + more)
        assert count.read() == COUNT
        assert count.open() == COUNT
        count.close()


def test_a_count_that_is_being_written_is_read_again(
    count: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    count.write(COUNT)
    whole = count.path.read_bytes()
    contents = iter([whole[:30] + bytes(30), whole[:10], whole])
    monkeypatch.setattr(on_disk, "read_file", lambda _: next(contents))
    assert count.read() == COUNT


def test_a_count_of_before_the_machine_was_started_is_not_of_this_boot(
    count: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "boot_id", lambda: b"b" * 16)
    count.write(COUNT)
    assert count.read().is_of_this_boot()
    for now in (b"c" * 16, bytes(16)):  # started anew, or not told
        monkeypatch.setattr(counter, "boot_id", lambda now=now: now)
        assert not count.read().is_of_this_boot()
    count.write(COUNT)
    assert not count.read().is_of_this_boot()
