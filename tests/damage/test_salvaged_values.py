"""`recover` loses nothing that can be read, and makes nothing up: on random cuts and flips."""

import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from shotstore import DamagedStorageError, DataNotFoundError, PureSequencePath
from shotstore.hdf5 import HDF5StorageManager, Recovered
from shotstore.model import Data, Parameter, quantity
from shotstore.testing.experiments import finish, launch, record
from tests.damage.flip import metadata_bytes
from tests.damage.specimen import open_store
from tests.format_reader import read_what_can_be_read

PATH = PureSequencePath(r"\rabi")
SHOTS = 90
"""So many that the index of the frames has several blocks."""

Shots = dict[int, dict[str, Any]]
Damage = Callable[[bytearray, list[int], random.Random], None]


@pytest.fixture(scope="module")
def original(whole: Path) -> Shots:
    """All that is in it."""
    shots = read_what_can_be_read(_file(whole))
    assert len(shots) == SHOTS
    assert all(len(shot["data"]) == 6 for shot in shots.values())
    return shots


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a sequence that has ended."""
    root = tmp_path_factory.mktemp("salvage") / "whole"
    chance = np.random.default_rng(3)
    with open_store(root).session() as session:
        launch(session, PATH, SHOTS)
        for index in range(SHOTS):
            parameters: dict[str, Parameter] = {
                "n": index,
                "detuning": quantity(-1.5 * index, "MHz"),
            }
            data: dict[str, Data] = {
                "frame": chance.integers(1, 2**16, (32, 40), np.uint16),
                "trace": chance.normal(size=49),
                "tags": chance.integers(1, 2**32, index % 7 + 1, np.uint32),
                "comment": f"shot {index}",
                "settings": {"gain": [index, None]},
                "counts": 10 * index,
            }
            record(session, PATH, index, parameters, data)
        finish(session, PATH)
    return root


def _flip_metadata(content: bytearray, metadata: list[int], chance: random.Random) -> None:
    for _ in range(chance.choice([1, 1, 1, 3])):
        content[chance.choice(metadata)] ^= 1 << chance.randrange(8)


def _flip_anywhere(content: bytearray, _metadata: list[int], chance: random.Random) -> None:
    for _ in range(chance.choice([1, 5, 50])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def _cut(content: bytearray, _: list[int], chance: random.Random) -> None:
    del content[int(len(content) * chance.uniform(0.1, 1)) :]


def _cut_a_little(content: bytearray, _: list[int], chance: random.Random) -> None:
    del content[int(len(content) * chance.uniform(0.93, 0.999)) :]


def _turn_to_zeros(content: bytearray, _: list[int], chance: random.Random) -> None:
    start = int(len(content) * chance.uniform(0.05, 0.9))
    stop = min(len(content), start + chance.choice([4096, 30_000, len(content)]))
    content[start:stop] = bytes(stop - start)


CASES: list[tuple[Damage, int]] = [
    *((_flip_metadata, seed) for seed in range(10)),
    *((_flip_anywhere, seed) for seed in range(2)),
    *((_cut, seed) for seed in range(4)),
    *((_cut_a_little, seed) for seed in range(4)),
    *((_turn_to_zeros, seed) for seed in range(4)),
]


@pytest.mark.parametrize(("damage", "seed"), CASES)
def test_what_can_be_read_before_is_there_afterwards_and_nothing_else(
    damage: Damage, seed: int, whole: Path, original: Shots, tmp_path: Path
) -> None:
    content = bytearray(_file(whole).read_bytes())
    length = len(content)
    damage(content, metadata_bytes(_file(whole)), random.Random(f"{damage.__name__} {seed}"))
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    _file(store).write_bytes(content)
    before = [read_what_can_be_read(_padded(content, length, tmp_path)), _read(open_store(store))]
    _forget_zeros(before[0], original)
    if damage not in (_flip_metadata, _flip_anywhere):
        # Where more than bits is lost, both the schemas and their copies can be.
        before[1] = {n: shot for n, shot in before[1].items() if shot["parameters"] or shot["data"]}
    if content == _file(whole).read_bytes():
        return
    storage = open_store(store)
    try:
        done = storage.recover(PATH)
    except DamagedStorageError:
        assert before == [{}, {}], "what can be read is not saved"
        return
    assert storage.verify().findings == []
    after = read_what_can_be_read(_file(store))
    np.testing.assert_equal(_read(storage), _without_units(after))
    for readable, found in ((before[0], after), (before[1], _without_units(after))):
        for index, shot in readable.items():
            _assert_contained(shot, found[index])
    for index, shot in after.items():
        _assert_contained(shot, original[index])
    _assert_reported(done, after)


def _forget_zeros(shots: Shots, original: Shots) -> None:
    """Leave out what HDF5 takes for data, and what is not: no recorded value is zeros alone."""
    for index in list(shots):
        for section in ("parameters", "data"):
            for name, value in list(shots[index][section].items()):
                if not _is_equal(value, original.get(index, {}).get(section, {}).get(name)):
                    del shots[index][section][name]
        if not shots[index]["parameters"] and not shots[index]["data"]:
            del shots[index]


def _is_equal(value: object, other: object) -> bool:
    try:
        np.testing.assert_equal(value, other)
    except AssertionError:
        return False
    return True


def _assert_contained(part: dict[str, Any], all_of_it: dict[str, Any]) -> None:
    for section in ("parameters", "data"):
        for name, value in part[section].items():
            np.testing.assert_equal(value, all_of_it[section][name])


def _assert_reported(done: Recovered, after: Shots) -> None:
    if not done.repairs:  # the damage is where nothing is
        return
    assert done.number_of_shots == len(after)
    assert done.lost_shots == SHOTS - len(after)
    for index, shot in after.items():
        missing = 8 - len(shot["parameters"]) - len(shot["data"])
        assert len(done.incomplete_shots.get(index, ())) == missing


def _file(store: Path) -> Path:
    return store.joinpath("sequences", *PATH.parts, "shots.h5")


def _padded(content: bytearray, length: int, directory: Path) -> Path:
    """The file with noise for what was cut off, since HDF5 opens no file that is too short."""
    file = directory / "padded.h5"
    file.write_bytes(content + random.Random(2).randbytes(length - len(content)))
    return file


def _read(storage: HDF5StorageManager) -> Shots:
    """What a session reads, value by value."""
    shots: Shots = {}
    with storage.session() as session:
        sequences = session.sequences
        try:
            indices = [shot.index for shot in sequences.get_shots(PATH)]
        except DamagedStorageError:
            return {}
        for index in indices:
            found = shots[index] = {"parameters": {}, "data": {}}
            reads: dict[str, Callable[[], Any]] = {
                "parameters": partial(sequences.get_shot_parameters, PATH, index),
                **{
                    label: partial(sequences.get_shot_data_by_labels, PATH, index, [label])
                    for label in ("frame", "trace", "tags", "comment", "settings", "counts")
                },
            }
            for name, read in reads.items():
                try:
                    found["parameters" if name == "parameters" else "data"].update(read())
                except (DamagedStorageError, DataNotFoundError):
                    continue
    return shots


def _without_units(shots: Shots) -> Shots:
    def plain(value: Any, unit: str | None) -> Any:
        return value if unit is None else quantity(value, unit)

    return {
        index: {
            section: {name: plain(*value) for name, value in shot[section].items()}
            for section in ("parameters", "data")
        }
        for index, shot in shots.items()
    }


def test_a_damaged_index_of_frames_hides_only_what_it_leads_to(whole: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    _flip_index_of(_file(store), "data/frame")
    shots = _read(open_store(store)).values()
    assert 20 < sum("frame" in shot["data"] for shot in shots) < SHOTS
    assert all("trace" in shot["data"] for shot in shots)
    assert len(open_store(store).recover(PATH).incomplete_shots) < SHOTS - 20


def test_a_damaged_index_of_the_shots_hides_only_what_it_leads_to(tmp_path: Path) -> None:
    count = 146 * 12
    storage = open_store(tmp_path / "store")
    with storage.session() as session:
        launch(session, PATH, count)
        for index in range(count):
            record(session, PATH, index, {}, {})
        finish(session, PATH)
    _flip_index_of(_file(storage.root), "shots")
    done = storage.recover(PATH)
    assert done.number_of_shots is not None
    assert 146 * 3 < done.number_of_shots < count
    assert done.number_of_shots + done.lost_shots == count
    assert storage.verify().findings == []


def _flip_index_of(file: Path, name: str) -> None:
    """Flip bits in the block of the index of a dataset that leads to its last chunk: two, since
    one is mended."""
    with h5py.File(file) as hdf5:
        chunks = hdf5[name].id
        address = chunks.get_chunk_info(chunks.get_num_chunks() - 1).byte_offset
    content = bytearray(file.read_bytes())
    content[content.rindex(address.to_bytes(8, "little"))] ^= 3
    file.write_bytes(content)


@pytest.mark.parametrize("what", ["chunk", "header", "index", "signature"])
@pytest.mark.parametrize("name", ["schemas", "copies/schemas"])
def test_no_bit_of_the_schemas_costs_a_shot(
    name: str, what: str, whole: Path, original: Shots, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    content = bytearray(_file(store).read_bytes())
    content[_places_of(_file(store), name)[what]] ^= 4
    _file(store).write_bytes(content)
    storage = open_store(store)
    np.testing.assert_equal(_read(storage), _without_units(original))
    np.testing.assert_equal(read_what_can_be_read(_file(store)), original)
    assert any(name in finding.problem for finding in storage.verify().findings)
    done = storage.recover(PATH)
    assert (done.number_of_shots, done.lost_shots, done.incomplete_shots) == (SHOTS, 0, {})
    assert storage.verify().findings == []
    np.testing.assert_equal(read_what_can_be_read(_file(store)), original)


def _places_of(file: Path, name: str) -> dict[str, int]:
    """A byte of the chunk, of the header and of the index of a dataset, and the first of it."""
    with h5py.File(file) as hdf5:
        header = h5py.h5o.get_info(hdf5[name].id).addr
        chunk = hdf5[name].id.get_chunk_info(0).byte_offset
    content = file.read_bytes()
    index = content.rindex(b"EAIB", 0, content.index(chunk.to_bytes(8, "little")))
    return {"chunk": chunk + 9, "header": header + 30, "index": index + 20, "signature": header}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("/", 0),
        ("/", 6),
        ("/", 100),
        ("shots", 60),
        ("parameters", 5),
        ("data", 20),
        ("data/frame", 7),
    ],
)
def test_no_bit_of_a_header_costs_a_shot(
    name: str, place: int, whole: Path, original: Shots, tmp_path: Path
) -> None:
    with h5py.File(_file(whole)) as hdf5:
        header = h5py.h5o.get_info(hdf5[name].id).addr
    _assert_recovered_without_loss(header + place, whole, original, tmp_path / "store")


@pytest.mark.parametrize("block", [b"EAHD", b"EAIB", b"EADB", b"OCHK"])
def test_no_bit_of_an_index_costs_a_shot(
    block: bytes, whole: Path, original: Shots, tmp_path: Path
) -> None:
    place = _file(whole).read_bytes().index(block)
    _assert_recovered_without_loss(place + 15, whole, original, tmp_path / "store")


def _assert_recovered_without_loss(byte: int, whole: Path, original: Shots, store: Path) -> None:
    shutil.copytree(whole, store)
    content = bytearray(_file(store).read_bytes())
    content[byte] ^= 1 << byte % 8
    _file(store).write_bytes(content)
    storage = open_store(store)
    done = storage.recover(PATH)
    assert (done.number_of_shots, done.lost_shots, done.incomplete_shots) == (SHOTS, 0, {})
    np.testing.assert_equal(read_what_can_be_read(_file(store)), original)
    assert storage.verify().findings == []
