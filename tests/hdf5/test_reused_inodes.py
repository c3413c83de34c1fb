"""A file may get the inode of one that is gone, and look like it at its end."""

from pathlib import Path

import pytest

from shotstore import DataId, ShotId
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import PATH, create, record, relaunch


def test_shots_of_a_later_launch_are_not_taken_for_those_of_an_earlier_one(tmp_path: Path) -> None:
    recorder = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    display = HDF5StorageManager(tmp_path / "store")
    with recorder.session() as session:
        create(session, PATH)
    inodes = []
    for order in ((0, 1, 2, 3), (0, 2, 1, 3), (2, 1, 0, 3), (1, 2, 0, 3)):
        with recorder.session() as session:
            relaunch(session)
            for index in order:
                record(session, index=index, data={"n": 10 * index})
        (file,) = (tmp_path / "store" / "sequences").rglob("shots.h5")
        inodes.append(file.stat().st_ino)
        with display.session() as session:
            for index in order:
                data = session.sequences.get_shot_data_by_label(DataId(ShotId(PATH, index), "n"))
                assert data == 10 * index
        with recorder.session() as session:
            session.sequences.set_interrupted(PATH, "now")
            session.sequences.reset_to_draft(PATH)
        recorder.trash.empty()
    if len(set(inodes)) == len(inodes):
        pytest.skip("this file system does not use an inode again so soon")
