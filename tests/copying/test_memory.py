"""A copy needs no more memory for a long sequence than for a short one."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import finish, launch, path, record

pytestmark = pytest.mark.exhaustive

LONG, SHORT = path(r"\long"), path(r"\short")
SHOTS = 100
FRAME = np.random.default_rng(1).integers(0, 2**16, (1000, 1000), dtype=np.uint16)  # 2 MB
MOST = 40_000_000
"""Bytes by which memory may grow; the long sequence has 200 MB."""

COPY_AND_MEASURE = """
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.sql import SQLiteConfig, SQLiteStorageManager

here = Path(sys.argv[1])
files, more_files = HDF5StorageManager(here / "files"), HDF5StorageManager(here / "more")
database = SQLiteStorageManager(SQLiteConfig(here / "runs.db"))
database.upgrade()
back = HDF5StorageManager(here / "back")
ways = [(files, more_files), (files, database), (database, back)]
for source, destination in ways:
    copy_path(r"\\short", source, destination, progress=False)
for source, destination in ways:
    before = getrusage(RUSAGE_SELF).ru_maxrss
    copy_path(r"\\long", source, destination, progress=False)
    print((getrusage(RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.skipif(importlib.util.find_spec("resource") is None, reason="needs getrusage")
def test_a_long_sequence_is_copied_in_constant_memory(tmp_path: Path) -> None:
    storage = HDF5StorageManager(tmp_path / "files", serializer=serializer())
    for sequence, shots in ((SHORT, 10), (LONG, SHOTS)):
        with storage.session() as session:
            launch(session, sequence, shots)
            for index in range(shots):
                record(session, sequence, index, data={"frame": FRAME})
            finish(session, sequence)
    program = [sys.executable, "-c", COPY_AND_MEASURE, str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(int(grown) < MOST for grown in done.stdout.split()), done.stdout
