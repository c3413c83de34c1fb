"""What docs/file-format.md says of the log is complete: by it, one that was left is laid over the
files."""

import contextlib
import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shotstore import ExperimentSession
from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.hdf5.held_back import HeldBack
from shotstore.hdf5.log.record import load
from shotstore.testing.content import content
from shotstore.testing.experiments import PATH, create, finish, launch, path, record
from shotstore.testing.lab import serializer
from tests import format_reader

PAGE = Path(__file__).parents[1] / "docs" / "file-format.md"
FRAME = np.arange(512 * 256, dtype="u2").reshape(512, 256)
OTHER = path(r"\2026\other")


def _open(root: Path) -> HDF5StorageManager:
    return HDF5StorageManager(root, serializer=serializer())


def _content(root: Path) -> dict[str, Any]:
    """What is in the files, without a log."""
    copy = root.with_name(f"{root.name}-alone")
    shutil.copytree(root, copy)
    shutil.rmtree(copy / ".shotstore")
    storage = HDF5StorageManager(copy, serializer=serializer(), read_only=True)
    with storage.session() as session:
        return content(session)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], dict[str, Any]]:
    """Run what the page shows, on a copy of a store; return what it has defined, and what it has
    printed as ``printed``."""
    [code] = re.findall(r"<!-- the log -->\n```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)

    def run(root: Path) -> dict[str, Any]:
        here = tmp_path / "here"
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(root, here / "shotstore-demo")
        monkeypatch.chdir(here)
        defined: dict[str, Any] = {}
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(code, str(PAGE), "exec"), defined)
        return {**defined, "printed": output.getvalue()}

    return run


@pytest.fixture
def running(storage: HDF5StorageManager) -> Iterator[HDF5StorageManager]:
    """A store at rest, with a sequence that is running."""
    with storage.session() as session:
        launch(session, shots=None)
        record(session, index=0, data={"atoms": FRAME, "n": 1})
        create(session, OTHER)
    storage.close()
    yield storage
    storage.close()


def test_the_log_of_a_store_at_rest_has_no_records(
    running: HDF5StorageManager, example: Callable[[Path], dict[str, Any]]
) -> None:
    found = example(running.root)
    assert found["printed"] == ""
    assert found["read_log"](running.root) == []
    assert format_reader.read_held(running.root, found["parse"]) == []


def test_what_a_power_cut_took_back_is_in_the_log(
    running: HDF5StorageManager, example: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    durable = {
        file.relative_to(running.root): file.read_bytes()
        for file in running.root.joinpath("sequences").rglob("*")
        if file.is_file()
    }
    for index in range(1, 4):
        with running.session() as session:
            record(session, index=index, data={"atoms": FRAME + index, "n": index})
    with running.session() as session:
        record(session, index=5, data={"n": 5})
        create(session, path(r"\2026\new\third"))
        session.sequences.set_tags(OTHER, {"good"})
    with running.session() as session:
        expected = content(session)
    left = tmp_path / "left"
    shutil.copytree(running.root, left)
    for file in [each for each in left.joinpath("sequences").rglob("*") if each.is_file()]:
        before = durable.get(file.relative_to(left))
        if before is None:
            file.unlink()
        else:  # a large end was synced
            file.write_bytes(
                before + (file.read_bytes()[len(before) :] if ".h5" in file.name else b"")
            )
    shutil.rmtree(left / "sequences" / "2026" / "new")

    found = example(left)
    assert len(re.findall("^commit", found["printed"], re.M)) == 4
    assert "  patches sequences/2026/rabi/shots.h5 which then has" in found["printed"]
    assert "  writes sequences/2026/other/sequence.json" in found["printed"]
    format_reader.lay_over(left, found["read_log"](left))
    np.testing.assert_equal(_content(left), expected)


def _swap(session: ExperimentSession) -> None:
    record(session, index=1)
    finish(session)
    between = path(r"\between")
    session.paths.move(PATH, between)
    session.paths.move(OTHER, PATH)
    session.paths.move(between, OTHER)


def _reset(session: ExperimentSession) -> None:
    record(session, index=1)
    finish(session)
    session.sequences.reset_to_draft(PATH)
    launch(session, path(r"\2026\third"))


@pytest.mark.parametrize("change", [_swap, _reset])
def test_a_commit_that_moves_is_carried_out_from_any_point(
    change: Callable[[ExperimentSession], None],
    running: HDF5StorageManager,
    example: Callable[[Path], dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = str(running.root / ".shotstore" / "log")
    lefts: list[Path] = []
    writes = 0

    def observe(operation: disk.Operation) -> None:
        nonlocal writes
        writes += (operation.kind, operation.path) == ("write", log)
        if writes and (operation.kind, operation.path) != ("write", log):
            lefts.append(tmp_path / f"left {len(lefts)}")
            shutil.copytree(running.root, lefts[-1])

    monkeypatch.setattr(disk, "observe", observe)
    with running.session() as session:
        change(session)
    monkeypatch.undo()
    with running.session() as session:
        expected = content(session)
    ways = set()
    for left in lefts:
        found = example(left)
        records = found["read_log"](left)
        if records:
            ways.add(found["printed"])
            format_reader.lay_over(left, records)
        np.testing.assert_equal(_content(left), expected)
    assert len(ways) == 1
    assert len(lefts) > 10


def test_what_is_kept_back_is_read_as_a_record_of_the_log_is(
    running: HDF5StorageManager, example: Callable[[Path], dict[str, Any]]
) -> None:
    with running.session() as session:
        record(session, index=1)
    found = example(running.root)
    log = (running.root / ".shotstore" / "log").read_bytes()
    length = int.from_bytes(log[8192 + 24 : 8192 + 32], "little")
    HeldBack(running.root).keep(load(log[8192 + 64 : 8192 + 64 + length]))
    assert format_reader.read_held(running.root, found["parse"]) == found["read_log"](running.root)


def test_the_counter_tells_whether_a_commit_is_unfinished(
    running: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits, is_unfinished = format_reader.read_counter(running.root)
    assert not is_unfinished
    found: list[tuple[int, bool]] = []

    def observe(operation: disk.Operation) -> None:
        if operation.path.endswith("shots.h5") and operation.kind == "write":
            found.append(format_reader.read_counter(running.root))

    with running.session() as session:
        record(session, index=1)
        monkeypatch.setattr(disk, "observe", observe)
    assert found[-1] == (commits, True)
    assert format_reader.read_counter(running.root) == (commits + 1, False)


def test_the_names_in_the_control_directory_are_on_the_page(running: HDF5StorageManager) -> None:
    page = PAGE.read_text("utf-8")
    for name in ("log", "commits", "apply.lock", "open.lock", "opening.lock"):
        assert f"| `{name}` " in page
        assert (running.root / ".shotstore" / name).is_file()
