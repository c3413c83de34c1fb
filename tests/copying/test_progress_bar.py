"""Who copies in Python sees how far it is, where there is a terminal and rich is installed."""

import builtins
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import PATH, finish, launch, record

COPY = """
import sys
from pathlib import Path
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager

copy_path("/", *map(HDF5StorageManager, sys.argv[1:]))
"""


@pytest.fixture
def here(tmp_path: Path) -> HDF5StorageManager:
    """A store with a sequence of two shots."""
    storage = HDF5StorageManager(tmp_path / "here", serializer=serializer())
    with storage.session() as session:
        launch(session)
        for index in range(2):
            record(session, index=index)
        finish(session)
    return storage


def test_a_terminal_shows_how_far_a_copy_is(here: HDF5StorageManager, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    arguments = [sys.executable, "-c", COPY, str(here.root), str(tmp_path / "there")]
    subprocess.run(arguments, stderr=theirs, env=environment, check=True)
    os.close(theirs)
    said = ""
    try:
        while more := os.read(ours, 10_000):
            said += more.decode()
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    assert "Copying" in said
    assert "2/2 shots, 1/1 sequences" in said


def test_a_copy_needs_no_rich(
    here: HDF5StorageManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    there = HDF5StorageManager(tmp_path / "there")
    copy_path("/", here, there)
    with there.session() as session:
        assert len(session.sequences.get_shots(PATH)) == 2


def test_a_notebook_without_widgets_is_told_nothing(
    here: HDF5StorageManager,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    class ZMQInteractiveShell:  # as rich knows a notebook
        pass

    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert Console().is_jupyter
    copy_path("/", here, HDF5StorageManager(tmp_path / "there"))
    assert capfd.readouterr() == ("", "")
