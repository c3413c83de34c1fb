"""After a power cut, another program opens a shots file for writing before shotstore has opened the
store: what lay past the end that the file knows of is cut off."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from shotstore import DamagedStorageError, StorageError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data
from shotstore.testing.experiments import PATH, indices, launch, path, record
from shotstore.testing.lab import serializer

FRAME = np.arange(512 * 256, dtype="u2").reshape(512, 256)
OTHER = path(r"\other")
ONE_FRAME: dict[str, Data] = {"atoms": FRAME}
MANY_LABELS: dict[str, Data] = {
    **{f"frame {number}": FRAME + number for number in range(40)},
    **{f"text {number}": "x" * number for number in range(40)},
}
"""So many that what leads to the first shots moves to the end of the file."""


@pytest.mark.parametrize("lost", [ONE_FRAME, MANY_LABELS])
def test_shots_that_were_cut_off_are_reported_and_everything_else_goes_on(
    storage: HDF5StorageManager, tmp_path: Path, lost: dict[str, Data]
) -> None:
    with storage.session() as session:
        launch(session)
        launch(session, OTHER)
    storage.close()
    shots = storage.get_directory(PATH) / "shots.h5"
    durable = shots.read_bytes()
    with storage.session() as session:
        record(session, index=0, data=lost, parameters={f"p{n}": n for n in range(150)})
    with storage.session() as session:
        record(session, OTHER, index=0)
    left = tmp_path / "left"
    shutil.copytree(storage.root, left)
    left.joinpath(shots.relative_to(storage.root)).write_bytes(durable)

    opened = HDF5StorageManager(left, serializer=serializer())
    with opened.session() as session:
        with pytest.raises(DamagedStorageError, match=r"cut off.*remove .*held"):
            indices(session)
        assert len(session.sequences.get_shots(OTHER)) == 1
    [damage] = [finding for finding in opened.verify().findings if finding.severity == "damage"]
    assert "shots.h5, which was cut off" in damage.problem
    with pytest.raises(StorageError, match="cut off"), opened.session() as session:
        record(session, index=1)
    with opened.session() as session:
        record(session, OTHER, index=1)
