"""Many threads of one process that read, as those of a page or a GUI do."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shotstore.hdf5 import HDF5StorageManager, on_disk
from shotstore.testing.experiments import PATH, create
from tests.processes.children import PATIENCE

THREADS = 16


def test_few_threads_of_a_process_are_in_the_files_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit of the process would have to wait for all the others at each of its steps."""
    storage = HDF5StorageManager(tmp_path / "store", lock_timeout=PATIENCE)
    with storage.session() as session:
        create(session)
    mutex, pause = threading.Lock(), threading.Event()
    inside: list[int] = []
    most = 0
    read = on_disk.read_and_identify

    def note(*arguments: Any) -> tuple[bytes | None, on_disk.Identity | None]:
        nonlocal most
        if arguments[0].endswith("units.json"):
            return read(*arguments)  # before anything is read that a commit may wait for
        with mutex:
            inside.append(0)
            most = max(most, len(inside))
        pause.wait(0.001)  # the others come to it
        try:
            return read(*arguments)
        finally:
            with mutex:
                inside.pop()

    monkeypatch.setattr(on_disk, "read_and_identify", note)

    def look(_: int) -> None:
        for _ in range(3):
            with storage.session() as session:
                assert session.sequences.get_stats(PATH).number_completed_shots == 0

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(look, range(THREADS)))
    assert 1 <= most <= THREADS // 4
