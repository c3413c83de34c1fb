"""What a recovery could not read is lost, and not empty: in its store, and in every copy."""

from pathlib import Path

import pytest

from shotstore import DataNotFoundError, LostConfigurationError, Sequence, StorageManager
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.memory import InMemoryStorageManager
from shotstore.model import (
    TimeLanes,
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
    UnknownTimeLane,
)
from shotstore.testing import exactly_equal, serializer
from shotstore.testing.content import content
from shotstore.testing.experiments import PATH, TIME_LANES, path, recipe
from tests.copying.conftest import Opened
from tests.damage.lost import SHOTS, recover_without_configuration

pytestmark = pytest.mark.exhaustive

LOST = "lost in a recovery"
LOST_LANES = TimeLanes([], [], {LOST: UnknownTimeLane(LOST, None)})
LOST_DEVICES = {"camera": UnknownDeviceConfiguration(LOST, None)}


@pytest.fixture
def recovered(tmp_path: Path) -> HDF5StorageManager:
    """A store with a sequence of which nothing but the shots is left."""
    storage = HDF5StorageManager(tmp_path / "recovered", serializer=serializer())
    done = recover_without_configuration(storage)
    assert (done.number_of_shots, done.lost_shots) == (SHOTS, 0)
    lost = {"iteration", "time_lanes", "global parameters", "device configuration camera"}
    assert set(done.lost_configuration) == lost
    return storage


def _assert_lost(storage: StorageManager) -> None:
    with storage.session() as session:
        sequences = session.sequences
        with pytest.raises(DataNotFoundError, match=r"rabi were lost in a recovery") as raised:
            sequences.get_global_parameters(PATH)
        assert isinstance(raised.value, LostConfigurationError)
        assert dict(sequences.get_device_configurations(PATH)) == LOST_DEVICES
        assert sequences.get_iteration_configuration(PATH) == UnknownIterationConfiguration(
            LOST, None
        )
        assert sequences.get_time_lanes(PATH) == LOST_LANES
        assert len(sequences.get_shots(PATH)) == SHOTS
        assert sequences.get_shot_parameters(PATH, 1) == {"x": 0.5}


def test_what_could_not_be_recovered_is_lost_and_not_empty(recovered: HDF5StorageManager) -> None:
    _assert_lost(recovered)
    assert recovered.verify().findings == []


def test_what_the_document_has_is_not_lost(tmp_path: Path) -> None:
    storage = HDF5StorageManager(tmp_path / "recovered", serializer=serializer())
    done = recover_without_configuration(storage, is_document_lost=False)
    assert set(done.lost_configuration) == {"global parameters", "device configuration camera"}
    with storage.session() as session:
        assert session.sequences.get_iteration_configuration(PATH) == recipe(SHOTS)
        assert session.sequences.get_time_lanes(PATH) == TIME_LANES
        with pytest.raises(LostConfigurationError):
            session.sequences.get_global_parameters(PATH)


@pytest.mark.parametrize("kind", ["files", "sqlite", "postgresql", "memory"])
def test_a_copy_keeps_what_is_lost(
    kind: str, recovered: HDF5StorageManager, opened: Opened
) -> None:
    if kind == "memory":
        there: StorageManager = InMemoryStorageManager(serializer=serializer())
    else:
        there = opened(kind, "there")
    back = opened("files", "back")
    for source, destination in ((recovered, there), (there, back)):
        copy_path(PATH, source, destination, progress=False)
        _assert_lost(destination)
        with source.session() as one, destination.session() as other:
            assert exactly_equal(content(one)[str(PATH)], content(other)[str(PATH)])


def test_a_duplicate_of_what_is_lost_is_a_draft(recovered: HDF5StorageManager) -> None:
    with recovered.session() as session:
        draft = Sequence(PATH, session).duplicate(path(r"\again"))
        assert draft.get_iteration_configuration() == UnknownIterationConfiguration(LOST, None)
        assert draft.get_time_lanes() == LOST_LANES


def test_what_is_lost_stays_lost_when_it_is_damaged_again(recovered: HDF5StorageManager) -> None:
    file = recovered.root.joinpath("sequences", *PATH.parts, "shots.h5")
    damaged = bytearray(file.read_bytes())
    damaged[damaged.index(b'"x"')] ^= 1  # in the first of the two schemas
    file.write_bytes(damaged)
    done = recovered.recover(PATH)
    assert (done.number_of_shots, done.lost_shots, done.lost_configuration) == (SHOTS, 0, ())
    _assert_lost(recovered)
