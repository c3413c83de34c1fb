"""Single flipped bits in the shots of a sequence."""

import random
import shutil
from pathlib import Path

import pytest

from shotstore import DamagedStorageError
from shotstore.hdf5 import superblock
from tests.damage import flip, specimen
from tests.damage.reader import REFUSED

_COUNT = 300


@pytest.fixture(scope="module")
def whole_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("flipped") / "store"
    specimen.create_store(store)
    return store


def test_no_flipped_bit_gives_wrong_data_a_hang_or_a_crash(whole_store: Path) -> None:
    path = specimen.shots_file(whole_store)
    report = flip.Report(path.stat().st_size)
    flip.flip(whole_store, flip.sample(path, _COUNT, seed=3), report)
    print(report)
    assert not report.failures
    assert report.outcomes.total() == _COUNT
    assert report.outcomes[REFUSED] > _COUNT // 2


def test_no_flipped_bit_of_the_superblock_lets_a_recorder_cut_off_shots(
    whole_store: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(whole_store, store)
    storage = specimen.open_store(store)
    path = specimen.shots_file(store, specimen.NEIGHBOUR)
    whole = path.read_bytes()
    for offset in range(superblock.SIZE):
        flipped = bytearray(whole)
        flipped[offset] ^= 1 << random.Random(offset).randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(DamagedStorageError, match=r"shots\.h5"), storage.session() as session:
            specimen.record(session, specimen.NEIGHBOUR, 50)
        assert path.read_bytes() == flipped
    path.write_bytes(whole)
    with storage.session() as session:
        specimen.record(session, specimen.NEIGHBOUR, 50)
