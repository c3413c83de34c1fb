"""What is kept of folders that were listed."""

import pytest

from shotstore.hdf5 import folders
from shotstore.hdf5.folders import KnownFolders


def test_a_folder_that_grows_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_MOST_NAMES", 100)
    known = KnownFolders()
    other = known.get("/root", "sequences/other", ["a", "b"])
    names = [f"n{number}" for number in range(20)]
    for number in range(20):
        known.get("/root", "sequences/grows", names[: number + 1])
    assert known.get("/root", "sequences/other", ["a", "b"]) is other
