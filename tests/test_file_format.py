"""docs/file-format.md is complete: a reader written from it alone gets everything out."""

import math
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import h5py
import numpy as np
import pytest

from shotstore import (
    DamagedStorageError,
    PureSequencePath,
    Sequence,
    ShotId,
    StorageError,
    TracebackSummary,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    DefaultSerializer,
    DeviceConfiguration,
    ExecuteShot,
    LinspaceLoop,
    ParameterNamespace,
    StepsConfiguration,
    TimeLanes,
    UnknownDeviceConfiguration,
    quantity,
)
from tests import format_reader

PATHS = [
    r"\2026\11\22\rabi",
    r"\2026\a/b",
    r"\2026\CON",
    r"\2026\..",
    r"\2026\shots.h5",
    "\\2026\\e\u0301t\u00e9 \u65e5\u672c\u8a9e",
    r"\2026\50% <hot>|? ",
]
MIXED = PureSequencePath(PATHS[0])
START = datetime(2026, 11, 22, 12, 30, 0, 250_000, tzinfo=UTC)

SHOTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"n": 1, "on": True, "x": 0.5, "f": quantity(10.0, "MHz"), "ratio": quantity(2, "")},
        {
            "Camera\\atoms": np.arange(12, dtype=np.uint16).reshape(3, 4),
            "atom_number": 2.5e5,
            "comment": "über",
            "nothing": None,
            "100% / #1": 3,
        },
    ),
    (
        {"n": 2**70, "on": False, "x": math.nan, "f": quantity(250, "kHz")},
        {
            "Camera\\atoms": np.arange(30, dtype=np.uint16).reshape(5, 6),
            "comment": "x" * 300,
            "list": [1, -0.0, math.inf, 2**65, {"float": "nan"}, {"a": [np.eye(2), None]}],
            "nul": "a\0b",
        },
    ),
    (
        {"n": -(2**63)},
        {
            "tags": np.array([1, 2, 3], dtype=">i8"),
            "names": np.array([["aé", "日本"]]),
            "when": np.array(["2026-11-22", "NaT"], dtype="M8[D]"),
            "structured": np.array([(1, "é", [1.5, 2])], dtype="i2,U3,2f8"),
            "simple": np.array([(1, 2.5)], dtype=[("a", "<i4"), ("b", ">f8")]),
            "aligned": np.ones(2, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True)),
            "half": np.array([0.5, math.nan], dtype="f2"),
            "complex": np.array(1 + 2j),
            "flags": np.array([True, False]),
            "bytes": np.array([b"ab", b"c"]),
            "empty": np.zeros((3, 0), dtype="<f4"),
            "long double": np.array([1, 3], dtype=np.longdouble) / 3,
        },
    ),
    ({"n": 4}, {"tags": np.array([4], dtype=">i8"), "comment": ""}),
    ({"n": 5}, {"tags": np.array([], dtype=">i8"), "comment": "again"}),
    ({"n": 6}, {"tags": np.arange(1000, dtype=">i8"), "Camera\\atoms": np.zeros((3, 4), "u2")}),
]
INDICES = [4, 0, 9, 2, 7, 1]


@attrs.frozen
class LaserConfiguration(DeviceConfiguration):
    power: float


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> HDF5StorageManager:
    serializer = DefaultSerializer()
    serializer.register_device_configuration(LaserConfiguration)
    storage = HDF5StorageManager(tmp_path_factory.mktemp("store"), serializer=serializer)
    recipe = StepsConfiguration([LinspaceLoop("n", "1", "10", 10, [ExecuteShot()])])
    with storage.session() as session:
        for path in PATHS:
            Sequence.create(path, recipe, TimeLanes.empty(), session)
        session.sequences.set_preparing(
            MIXED,
            {"laser/1": LaserConfiguration(power=math.inf, remote_server="pc")},
            ParameterNamespace.from_mapping({"mot": {"detuning": "-12 MHz"}}),
        )
        session.sequences.set_running(MIXED, START)
    for index, (parameters, data) in zip(INDICES, SHOTS, strict=True):
        begin = START + timedelta(seconds=index)
        with storage.session() as session:
            session.sequences.create_shot(
                ShotId(MIXED, index), parameters, data, begin, begin + timedelta(microseconds=7)
            )
    with storage.session() as session:
        error = RuntimeError("stopped")
        error.__cause__ = OSError("cable")
        session.sequences.set_crashed(MIXED, TracebackSummary.from_exception(error), START)
    return storage


def directory_of(storage: HDF5StorageManager) -> Path:
    return format_reader.find_sequences(storage.root)[MIXED.parts]


def assert_same(found: Any, stored: Any) -> None:
    """Equal in value and type, NaN and the sign of zero included."""
    if isinstance(stored, np.ndarray):
        assert found.dtype == stored.dtype
        assert found.dtype.str == stored.dtype.str
        assert found.shape == stored.shape
        np.testing.assert_array_equal(found, stored)
    elif isinstance(stored, list | dict):
        assert type(found) is type(stored)
        assert len(found) == len(stored)
        keys = stored if isinstance(stored, dict) else range(len(stored))
        for key in keys:
            assert_same(found[key], stored[key])
    else:
        assert type(found) is type(stored)
        assert repr(found) == repr(stored)


def test_every_sequence_is_found(storage: HDF5StorageManager) -> None:
    found = format_reader.find_sequences(storage.root)
    assert set(found) == {PureSequencePath(path).parts for path in PATHS}
    for names, directory in found.items():
        assert format_reader.encode_name(names[-1]) == directory.name


def test_every_value_comes_back(storage: HDF5StorageManager) -> None:
    shots = format_reader.read_shots(directory_of(storage) / "shots.h5")
    assert list(shots) == INDICES
    for index, (parameters, data) in zip(INDICES, SHOTS, strict=True):
        shot = shots[index]
        for name, parameter in parameters.items():
            value, unit = shot["parameters"].pop(name)
            if unit is None:
                assert_same(value, parameter)
            else:
                assert_same(value, parameter.magnitude)
                assert quantity(1, unit).units == parameter.units
        assert not shot["parameters"]
        assert set(shot["data"]) == set(data)
        for label, value in data.items():
            assert_same(shot["data"][label], value)
        begin = START + timedelta(seconds=index)
        assert datetime.fromtimestamp(shot["start_time"] / 1e6, UTC) == begin
        assert shot["end_time"] - shot["start_time"] == 7


def test_every_document_has_its_keys_and_checksum(storage: HDF5StorageManager) -> None:
    marker = format_reader.read_document(storage.root / "shotstore.json")
    assert marker["format"] == "shotstore store"
    assert set(marker) == {"format", "version", "id", "created", "checksum"}
    document = format_reader.read_document(directory_of(storage) / "sequence.json")
    assert list(document) == [
        "format",
        "version",
        "id",
        "created",
        "state",
        "start_time",
        "stop_time",
        "expected_number_of_shots",
        "number_of_shots",
        "tags",
        "note",
        "iteration",
        "time_lanes",
        "exception",
        "interruptions",
        "measured",
        "checksum",
    ]
    assert document["format"] == "shotstore sequence"
    assert document["state"] == "crashed"
    assert document["start_time"] == "2026-11-22T12:30:00.250000Z"
    assert (document["expected_number_of_shots"], document["number_of_shots"]) == (10, 6)
    assert document["iteration"]["content"]["steps"][0]["type"] == "linspace"
    assert document["exception"]["exception_type"] == "RuntimeError"
    assert document["exception"]["cause"]["message"] == "cable"
    folder = format_reader.read_document(storage.root / "sequences" / "2026" / "folder.json")
    assert set(folder) == {"format", "version", "created", "checksum"}


def test_the_launch_configuration_is_in_the_shots_file(storage: HDF5StorageManager) -> None:
    directory = directory_of(storage)
    configuration = format_reader.read_configuration(directory / "shots.h5")
    document = format_reader.read_document(directory / "sequence.json")
    assert configuration["iteration"] == document["iteration"]
    assert configuration["time_lanes"] == document["time_lanes"]
    assert configuration["global_parameters"] == [["mot", [["detuning", "-12 MHz"]]]]
    assert configuration["device_configurations"] == {
        "laser/1": ("LaserConfiguration", {"remote_server": "pc", "power": {"float": "inf"}})
    }
    with h5py.File(directory / "shots.h5") as file:
        assert file.attrs["sequence"].decode() == document["id"]
        assert file.attrs["path"].decode() == str(MIXED)


def test_nothing_is_of_variable_length_or_without_a_checksum(storage: HDF5StorageManager) -> None:
    def check(name: str, item: h5py.HLObject) -> None:
        for attribute in item.attrs:
            dtype = item.attrs.get_id(attribute).dtype
            assert h5py.check_vlen_dtype(dtype) is None
            assert h5py.check_string_dtype(dtype) is None or dtype.kind == "S"
        if isinstance(item, h5py.Dataset):
            assert item.fletcher32, name
            assert item.chunks is not None, name
            assert not item.dtype.hasobject, name

    with h5py.File(directory_of(storage) / "shots.h5") as file:
        check("/", file)
        file.visititems(check)
    content = (directory_of(storage) / "shots.h5").read_bytes()
    assert content[8] in (2, 3)
    assert int.from_bytes(content[28:36], "little") == len(content)


def test_every_text_has_the_mark_and_the_length_that_the_page_gives(
    storage: HDF5StorageManager,
) -> None:
    lengths: dict[str, int] = {}

    def note(name: str, kind: h5py.h5t.TypeID) -> None:
        if isinstance(kind, h5py.h5t.TypeStringID):
            assert kind.get_cset() == h5py.h5t.CSET_UTF8, name
            assert kind.get_strpad() == h5py.h5t.STR_NULLPAD, name
            lengths[name] = kind.get_size()
        elif isinstance(kind, h5py.h5t.TypeCompoundID):
            members = [kind.get_member_type(number) for number in range(kind.get_nmembers())]
            offsets = [kind.get_member_offset(number) for number in range(kind.get_nmembers())]
            sizes = [member.get_size() for member in members]
            assert offsets == [sum(sizes[:number]) for number in range(len(sizes))], name
            for number, member in enumerate(members):
                note(f"{name}/{number}", member)

    def look(name: str, item: h5py.HLObject) -> None:
        for attribute in item.attrs:
            note(f"{name}@{attribute}", item.attrs.get_id(attribute).get_type())
        if isinstance(item, h5py.Dataset) and item.ndim == 1:  # no array of texts, which is data
            note(name, item.id.get_type())

    with h5py.File(directory_of(storage) / "shots.h5") as file:
        look("/", file)
        file.visititems(look)
    assert lengths.pop("/@path") == len(str(MIXED))
    assert lengths.pop("/@sequence") == 32
    assert {"schemas", "data/comment", "data/comment#2", "configuration/iteration"} < set(lengths)
    for name, length in lengths.items():
        assert "@" in name or (length >= 16 and length & (length - 1) == 0), name


def test_a_file_of_a_higher_version_is_refused_and_not_called_damaged(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    shutil.copytree(directory_of(storage), tmp_path / "rabi")
    with h5py.File(tmp_path / "rabi" / "shots.h5", "r+") as file:
        file.attrs.modify("version", 2)
    archive = HDF5StorageManager(tmp_path / "rabi", read_only=True)
    with (
        archive.session() as session,
        pytest.raises(
            StorageError, match=r"version 2.*newer shotstore.*install a newer"
        ) as refused,
    ):
        Sequence(r"\rabi", session).get_shots()
    assert not isinstance(refused.value, DamagedStorageError)


def test_the_file_of_a_device_is_named_like_a_directory(tmp_path: Path) -> None:
    name = "Laser/1: 780 nm?"
    with HDF5StorageManager(tmp_path).session() as session:
        session.default_device_configurations[name] = UnknownDeviceConfiguration("Laser", {})
    [file] = (tmp_path / "device_configurations").iterdir()
    assert file.name == format_reader.encode_name(name) + ".json"
    assert not file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert format_reader.read_document(file)["name"] == name


def test_row_k_of_every_dataset_is_the_kth_shot(storage: HDF5StorageManager) -> None:
    with h5py.File(directory_of(storage) / "shots.h5") as file:
        assert file["shots"]["shot_index"].tolist() == INDICES
        assert file["parameters"]["x"][0] == 0.5
        assert file["scalars"]["atom_number"][0] == 2.5e5
        np.testing.assert_array_equal(
            file["data"]["Camera\\atoms"][5], SHOTS[5][1]["Camera\\atoms"]
        )
        assert not file["data"]["Camera\\atoms"][2].any()
        for name in file["data"]:
            if f"{name}#rows" not in file["data"]:
                assert len(file["data"][name]) <= len(SHOTS)
