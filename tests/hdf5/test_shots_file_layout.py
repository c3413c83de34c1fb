"""``shots.h5`` as people find it who open it with plain h5py."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
import pytest
from h5py import h5a, h5t

from shotstore import (
    ExperimentSession,
    State,
    StorageError,
    TracebackSummary,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.shots import schemas
from shotstore.hdf5.shots.rows import create_rows
from shotstore.hdf5.shots.schemas import Schema
from shotstore.model import Data, Parameter, quantity
from shotstore.testing.content import content
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    SECOND,
    START,
    TIME_LANES,
    finish,
    launch,
    path,
    recipe,
    record,
    relaunch,
)
from shotstore.testing.lab import serializer
from shotstore.version import __version__

FRAME = np.arange(6000, dtype=np.uint16).reshape(60, 100)
MISSING = np.iinfo(np.int64).min


def shots_file(storage: HDF5StorageManager) -> Path:
    return storage.root / "sequences" / "2026" / "rabi" / "shots.h5"


@pytest.fixture
def running(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a running sequence of up to 1000 shots."""
    with storage.session() as session:
        launch(session, shots=1000)
    return storage


Shot: TypeAlias = tuple[int, Mapping[str, Parameter], Mapping[str, Data]]


def record_each(storage: HDF5StorageManager, *shots: Shot) -> h5py.File:
    """Record each shot in a session of its own, and open the file natively."""
    for index, parameters, data in shots:
        with storage.session() as session:
            record(session, PATH, index, parameters, data)
    return h5py.File(shots_file(storage))


def of_all_kinds(session: ExperimentSession) -> None:
    """Shots that differ in everything that they can differ in."""
    shots: list[tuple[dict[str, Parameter], dict[str, Data]]] = [
        ({"a": 1, "b": quantity(2.5, "MHz"), "c": True}, {"frame": FRAME, "n": 5, "t": "text"}),
        ({"a": 2, "b": quantity(2.5, "kHz")}, {"frame": FRAME[:10], "n": 0.5, "t": "x" * 100}),
        ({"a": 2**80}, {"frame": FRAME.astype("f8"), "n": 2**90, "t": "a\0b", "z": np.array(1)}),
        ({}, {"tags": np.arange(5), "list": [1, "a", None], "none": None, "yes": False}),
        ({"a": 3}, {"tags": np.arange(9), "texts": np.array(["é", "日本"]), "é/#%": np.ones(3)}),
        ({"a": 1.5}, {"when": np.array(["2026-11-22"], "M8[s]"), "s": np.ones(2, "i4,U2")}),
        ({"a": 1}, {"empty": np.zeros((3, 0)), "tags": np.arange(0), "complex": np.ones(2, ">c8")}),
    ]
    for index, (parameters, data) in enumerate(shots):
        record(session, PATH, index, parameters, data)


@pytest.fixture
def of_all(running: HDF5StorageManager) -> HDF5StorageManager:
    with running.session() as session:
        of_all_kinds(session)
    return running


# What is where


def test_the_root_says_what_the_file_is(running: HDF5StorageManager) -> None:
    document = json.loads(shots_file(running).with_name("sequence.json").read_bytes())
    with h5py.File(shots_file(running)) as file:
        assert dict(file.attrs) == {
            "format": b"shotstore shots",
            "version": 1,
            "sequence": document["id"].encode(),
            "launch": file.attrs["launch"],
            "path": str(PATH).encode(),
            "creator": f"shotstore {__version__}".encode(),
            "expected_number_of_shots": 1000,
            "NX_class": b"NXroot",
            "default": b"data",
        }
        assert set(file) == {"configuration", "copies", "data", "shots"}


def test_the_configuration_of_the_launch_is_json(running: HDF5StorageManager) -> None:
    document = json.loads(shots_file(running).with_name("sequence.json").read_bytes())
    with h5py.File(shots_file(running)) as file:
        texts = file["configuration"]
        assert json.loads(texts["iteration"][0]) == document["iteration"]
        assert json.loads(texts["iteration"][0]) == serializer().dump_iteration(recipe(1000))
        assert json.loads(texts["time_lanes"][0]) == document["time_lanes"]
        parameters = serializer().dump_global_parameters(PARAMETERS)
        assert json.loads(texts["global_parameters"][0]) == parameters
        camera = texts["device_configurations/camera"]
        tag, configuration = serializer().dump_device_configuration(DEVICES["camera"])
        assert json.loads(camera[0]) == configuration
        assert camera.attrs["type"] == tag.encode()


def test_a_row_of_the_shots_is_a_shot_as_recorded(running: HDF5StorageManager) -> None:
    with record_each(running, (7, {}, {}), (3, {}, {})) as file:
        shots = file["shots"][:]
        assert shots.dtype.names == ("shot_index", "start_time", "end_time", "schema")
        assert [shots.dtype[name].str for name in shots.dtype.names] == ["<u8", "<i8", "<i8", "<u4"]
        assert shots["shot_index"].tolist() == [7, 3]
        start = np.datetime64("2026-11-22T12:00:00.250000")
        seconds = np.array([7, 3]) * np.timedelta64(1, "s")
        times = shots["start_time"].astype("M8[us]")
        assert times.tolist() == (start + seconds).tolist()
        assert (shots["end_time"] - shots["start_time"]).tolist() == [500_000] * 2
        assert shots["schema"].tolist() == [0, 0]


def test_parameters_are_columns_with_units_beside_them(running: HDF5StorageManager) -> None:
    parameters: dict[str, Parameter] = {
        "mot.detuning": quantity(-12.5, "MHz"),
        "n": 3,
        "on": True,
        "x": quantity(2, ""),
    }
    with record_each(running, (0, parameters, {}), (1, parameters, {})) as file:
        table = file["parameters"]
        assert table["mot.detuning"].tolist() == [-12.5] * 2
        assert table["n"].tolist() == [3, 3]
        assert table["on"].tolist() == [True, True]
        assert [table.dtype[name].str for name in parameters] == ["<f8", "<i8", "|b1", "<i8"]
        units = file["parameter_units"]
        assert units.shape == (1,)
        assert units.dtype.names == table.dtype.names
        assert units[0].tolist() == (b"MHz", b"", b"", b"")


def test_numbers_of_a_shot_are_columns(running: HDF5StorageManager) -> None:
    data = {"atom_number": 2.5e5, "counts": 7, "locked": True, "a/b": 1}
    with record_each(running, (0, {}, data)) as file:
        assert file["scalars"]["atom_number"].tolist() == [2.5e5]
        assert file["scalars"]["counts"].tolist() == [7]
        assert file["scalars"]["locked"].tolist() == [True]
        assert file["scalars"]["a%2Fb"].tolist() == [1]
        assert set(file["data"]) == set()


def test_each_label_has_a_dataset_with_a_row_for_each_shot(running: HDF5StorageManager) -> None:
    data: dict[str, Data] = {
        r"Camera\picture": FRAME,
        "trace": np.ones(50, "f4"),
        "comment": "good é",
    }
    with record_each(running, (0, {}, data), (1, {}, data), (2, {}, data)) as file:
        pictures = file[r"data/Camera\picture"]
        assert pictures.shape == (3, 60, 100)
        assert pictures.dtype == np.uint16
        np.testing.assert_array_equal(pictures[1], FRAME)
        assert file["data/trace"].shape == (3, 50)
        assert file["data/trace"].dtype == np.float32
        assert file["data/comment"].asstr()[:].tolist() == ["good é"] * 3


def test_rows_are_aligned_whatever_the_order_of_the_shots(running: HDF5StorageManager) -> None:
    order = [9, 2, 30, 0]
    shots = [(i, {"detuning": quantity(i * 1.0, "MHz")}, {"atoms": i * 10.0}) for i in order]
    with record_each(running, *shots) as file:
        assert file["shots"]["shot_index"].tolist() == order
        detuning = file["parameters"]["detuning"]
        np.testing.assert_array_equal(file["scalars"]["atoms"], detuning * 10)


def test_rows_are_aligned_where_shots_lack_something(running: HDF5StorageManager) -> None:
    full: dict[str, Data] = {"frame": FRAME, "x": 1.5, "text": "t"}
    part = {"other": 2}
    shots: list[Shot] = [
        (0, {"a": 1.0}, full),
        (1, {"b": 2}, part),
        (2, {"a": 3.0}, full),
        (3, {}, {}),
    ]
    with record_each(running, *shots) as file:
        assert len(file["shots"]) == 4
        np.testing.assert_array_equal(file["parameters"]["a"], [1.0, np.nan, 3.0])
        assert file["parameters#2"]["b"].tolist() == [MISSING, 2]
        np.testing.assert_array_equal(file["scalars"]["x"], [1.5, np.nan, 1.5])
        assert file["scalars#2"]["other"].tolist() == [MISSING, 2]
        assert file["data/frame"].shape == (3, 60, 100)
        assert not file["data/frame"][1].any()
        assert file["data/text"][:].tolist() == [b"t", b"", b"t"]


def test_a_missing_int_is_one_that_nobody_takes_for_a_value(running: HDF5StorageManager) -> None:
    shots: list[Shot] = [
        (0, {"n": 5, "x": 1.0}, {"count": 0}),
        (1, {"x": 2.0}, {"y": 2.0}),
        (2, {"n": 0}, {}),
    ]
    with record_each(running, *shots) as file:
        assert file["parameters"]["n"].tolist() == [5, MISSING, 0]
        assert file["scalars"]["count"].tolist() == [0]
        assert file["scalars"].fillvalue["count"] == MISSING
    with running.session() as session:
        schema = session.sequences.get_parameter_schema(PATH)
        columns = session.sequences.get_columns(PATH, parameters=["n"], labels=["count"])
        assert schema["n"].type == "int"
        assert columns.parameters["n"].is_present.tolist() == [True, False, True]
        assert columns.data["count"].is_present.tolist() == [True, False, False]


def test_missing_floats_are_nan(running: HDF5StorageManager) -> None:
    label = {"f8": np.ones((2, 2)), "c8": np.ones(2, "c8"), "s": np.ones(2, "f4,i4")}
    with record_each(running, (0, {}, {}), (1, {}, {}), (2, {}, label)) as file:
        assert np.isnan(file["data/f8"][:2]).all()
        assert np.isnan(file["data/c8"][:2]).all()
        assert np.isnan(file["data/s"][:2]["f0"]).all()
        assert not file["data/s"][:2]["f1"].any()
        np.testing.assert_array_equal(file["data/f8"][2], np.ones((2, 2)))


def test_shots_that_differ_go_beside_the_first(running: HDF5StorageManager) -> None:
    shots: list[Shot] = [
        (0, {"f": quantity(1.0, "MHz")}, {"frame": FRAME, "n": 1}),
        (1, {"f": quantity(2.0, "kHz")}, {"frame": FRAME.astype("f4"), "n": 2.5}),
        (2, {"f": quantity(3.0, "MHz")}, {"frame": FRAME[:, :7], "n": 3}),
        (3, {"f": 4}, {"frame": FRAME, "n": "text"}),
    ]
    with record_each(running, *shots) as file:
        np.testing.assert_array_equal(file["parameters"]["f"], [1, np.nan, 3])
        np.testing.assert_array_equal(file["parameters#2"]["f"], [np.nan, 2])
        assert file["parameters#3"]["f"].tolist() == [MISSING] * 3 + [4]
        assert [file[f"parameter_units{n}"][0][0] for n in ("", "#2", "#3")] == [
            b"MHz",
            b"kHz",
            b"",
        ]
        assert file["data/frame"].shape == (4, 60, 100)
        assert file["data/frame#2"].dtype == np.float32
        np.testing.assert_array_equal(file["data/frame#2"][1], FRAME)
        assert file["data/frame#3"].shape == (3, 60, 7)
        np.testing.assert_array_equal(file["data/frame#3"][2], FRAME[:, :7])
        np.testing.assert_array_equal(file["data/frame"][3], FRAME)
        assert file["scalars"]["n"].tolist() == [1, MISSING, 3]
        assert file["data/n"][3] == b"text"


def test_the_schemas_say_what_each_shot_has(running: HDF5StorageManager) -> None:
    shots: list[Shot] = [
        (0, {"f": quantity(1.0, "MHz")}, {"frame": FRAME, "n": 1, "nothing": None}),
        (1, {"f": 2}, {}),
        (2, {"f": quantity(3.0, "MHz")}, {"n": 3, "frame": FRAME, "nothing": None}),
    ]
    with record_each(running, *shots) as file:
        assert file["shots"]["schema"].tolist() == [0, 1, 0]
        schemas = [json.loads(text) for text in file["schemas"][:]]
        assert schemas[0] == {
            "parameters": [
                {
                    "name": "f",
                    "type": "float",
                    "dataset": "parameters",
                    "column": "f",
                    "unit": "MHz",
                }
            ],
            "data": [
                {
                    "name": "frame",
                    "type": "array",
                    "dataset": "data/frame",
                    "dtype": "<u2",
                    "shape": [60, 100],
                },
                {"name": "n", "type": "int", "dataset": "scalars", "column": "n"},
                {"name": "nothing", "type": "none"},
            ],
        }
        assert schemas[1]["data"] == []
        assert schemas[1]["parameters"][0]["dataset"] == "parameters#2"


def test_long_texts_begin_a_further_dataset(running: HDF5StorageManager) -> None:
    texts = ["", "x" * 16, "x" * 17, "x" * 33, "short", "é" * 20]
    shots: list[Shot] = [(index, {}, {"t": text}) for index, text in enumerate(texts)]
    with record_each(running, *shots) as file:
        lengths = [file[f"data/t{n}"].dtype.itemsize for n in ("", "#2", "#3")]
        assert lengths == [16, 32, 64]
        assert set(file["data"]) == {"t", "t#2", "t#3"}
        assert file["data/t"][:].tolist() == [b"", b"x" * 16, b"", b"", b"short"]
        assert file["data/t#3"].asstr()[5] == "é" * 20


def test_arrays_of_many_lengths_share_one_flat_dataset(running: HDF5StorageManager) -> None:
    lengths = np.random.default_rng(0).permutation(300)
    with running.session() as session:
        for index, length in enumerate(lengths):
            record(session, PATH, index, {}, {"tags": np.full(length, index, "u4")})
    with h5py.File(shots_file(running)) as file:
        assert set(file["data"]) == {"tags", "tags#2", "tags#2#rows"}
        flat, spans = file["data/tags#2"], file["data/tags#2#rows"]
        assert spans.shape == (300,)
        assert spans.dtype.names == ("start", "length")
        assert spans["length"][1:].tolist() == lengths[1:].tolist()
        assert len(flat) == lengths[1:].sum()
        for index in (1, 57, 299):
            start, length = spans[index].tolist()
            assert flat[start : start + length].tolist() == [index] * int(lengths[index])


def test_thousands_of_lengths_make_few_objects(running: HDF5StorageManager) -> None:
    with running.session() as session:
        for index in range(1000):
            data: dict[str, Data] = {
                "a": np.ones(index),
                "b": np.ones((index % 7, 2)),
                "c": "x" * (index % 50),
            }
            record(session, PATH, index, {"n": index}, data)
    with h5py.File(shots_file(running)) as file:
        assert sum(1 for _ in objects(file)) < 30


def test_tables_are_split_at_100_columns(running: HDF5StorageManager) -> None:
    parameters = {f"p{number}": number for number in range(241)}
    with record_each(running, (0, parameters, {f"d{n}": n for n in range(101)})) as file:
        widths = [len(file[f"parameters{n}"].dtype) for n in ("", "#2", "#3")]
        assert widths == [100, 100, 41]
        assert "parameters#4" not in file
        assert [len(file[f"scalars{n}"].dtype) for n in ("", "#2")] == [100, 1]
        assert file["parameters#3"]["p240"].tolist() == [240]


def test_tables_are_split_at_32_kib_of_names(running: HDF5StorageManager) -> None:
    parameters = {"x" * 1000 + str(number): number for number in range(100)}
    with record_each(running, (0, parameters, {})) as file:
        widths = [len(table.dtype) for name, table in file.items() if name.startswith("parameters")]
        assert sum(widths) == 100
        assert len(widths) > 1
        assert max(widths) * 1002 <= 32 * 1024


def test_names_that_hdf5_uses_are_encoded_and_the_real_ones_kept(
    running: HDF5StorageManager,
) -> None:
    labels = [".", "..", "a/b", "#2", "100%", "a\nb", r"Camera\atoms", "日本", "é", "e\u0301"]
    with record_each(running, (0, {}, dict.fromkeys(labels, np.ones(2)))) as file:
        assert set(file["data"]) == {
            "%2E",
            "%2E%2E",
            "a%2Fb",
            "%232",
            "100%25",
            "a%0Ab",
            *labels[6:],
        }
        schema = json.loads(file["schemas"][0])
        assert [slot["name"] for slot in schema["data"]] == labels


# What the file is made of


def objects(group: h5py.Group) -> Iterator[h5py.HLObject]:
    yield group
    for child in group.values():
        if isinstance(child, h5py.Group):
            yield from objects(child)
        else:
            yield child


def is_variable(kind: h5t.TypeID) -> bool:
    """Whether values of the type lie, wholly or in part, in a heap."""
    match kind.get_class():
        case h5t.VLEN | h5t.REFERENCE:
            return True
        case h5t.STRING:
            return bool(kind.is_variable_str())
        case h5t.ARRAY:
            return is_variable(kind.get_super())
        case h5t.COMPOUND:
            members = (kind.get_member_type(number) for number in range(kind.get_nmembers()))
            return any(is_variable(member) for member in members)
    return False


def test_nothing_has_a_variable_length(of_all: HDF5StorageManager) -> None:
    count = 0
    with h5py.File(shots_file(of_all)) as file:
        for found in objects(file):
            if isinstance(found, h5py.Dataset):
                assert not is_variable(found.id.get_type()), found.name
            for number in range(h5a.get_num_attrs(found.id)):
                attribute = h5a.open(found.id, index=number)
                assert not is_variable(attribute.get_type()), (found.name, attribute.name)
                assert attribute.get_storage_size() < 4096
                count += 1
    assert count >= 6


def test_every_dataset_is_chunked_and_has_a_checksum(of_all: HDF5StorageManager) -> None:
    with h5py.File(shots_file(of_all)) as file:
        datasets = [found for found in objects(file) if isinstance(found, h5py.Dataset)]
        assert len(datasets) > 25
        for dataset in datasets:
            assert dataset.chunks is not None, dataset.name
            assert dataset.fletcher32, dataset.name
            assert dataset.compression is None


def test_the_superblock_is_of_version_2_and_says_nothing_of_writers(
    running: HDF5StorageManager,
) -> None:
    with running.session() as session:
        for index in range(4):
            record(session, PATH, index, {}, {"frame": np.ones((600, 600))})
        during = shots_file(running).read_bytes()
    after = shots_file(running).read_bytes()
    for file in (during, after):
        assert file[:8] == b"\x89HDF\r\n\x1a\n"
        assert file[8] == 2
        assert file[11] == 0
    assert int.from_bytes(during[28:36], "little") < len(during)
    assert int.from_bytes(after[28:36], "little") == len(after)


def test_a_frame_is_one_chunk_and_small_rows_share_one(running: HDF5StorageManager) -> None:
    data: dict[str, Data] = {
        "frame": FRAME,
        "trace": np.ones(16),
        "text": "short",
        "0-d": np.array(1.0),
    }
    with record_each(running, (0, {"a": 1}, {**data, "n": 1})) as file:
        assert file["data/frame"].chunks == (1, 60, 100)
        for name in ("shots", "parameters", "scalars", "data/trace", "data/text", "data/0-d"):
            dataset = file[name]
            chunk = int(np.prod(dataset.chunks)) * dataset.dtype.itemsize
            assert 1024 <= chunk <= 8192, name


def test_a_row_beyond_64_mib_is_split_into_chunks() -> None:
    with h5py.File("in memory", "w", driver="core", backing_store=False) as file:
        for shape in ((8192, 8192), (3, 5, 10_000_000), (100_000_000,)):
            create_rows(file, str(shape), np.dtype("f8"), shape)
            chunks = file[str(shape)].chunks
            assert np.prod(chunks) * 8 <= 64 * 2**20
            assert np.prod(chunks) * 8 > 16 * 2**20
            assert chunks[0] == 1


@pytest.mark.parametrize(
    ("compression", "filter_name"), [(None, None), ("lzf", "lzf"), ("gzip", "gzip"), (9, "gzip")]
)
def test_arrays_are_compressed_where_that_is_asked_for(
    tmp_path: Path, compression: Any, filter_name: str | None
) -> None:
    storage = HDF5StorageManager(tmp_path / "store", compression=compression)
    data: dict[str, Data] = {"frame": np.zeros((300, 300)), "tags": np.arange(3), "text": "x"}
    with storage.session() as session:
        session.sequences.create(PATH, recipe(), TIME_LANES)
        session.sequences.set_preparing(PATH, {}, PARAMETERS)
        session.sequences.set_running(PATH, START)
        record(session, data=data)
        record(session, index=1, data={**data, "tags": np.arange(2000)})
    with h5py.File(shots_file(storage)) as file:
        for name in ("data/frame", "data/tags", "data/tags#2"):
            assert file[name].compression == filter_name
            assert file[name].fletcher32
        assert file["shots"].compression is None
    size = shots_file(storage).stat().st_size
    assert (size < 200_000) == (compression is not None)
    with HDF5StorageManager(tmp_path / "store").session() as session:
        assert exactly_equal(session.sequences.get_all_shot_data(PATH, 0), data)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [*((wrong, ValueError) for wrong in ("zip", 10, -1, "")), (True, TypeError), (1.0, TypeError)],
)
def test_a_compression_that_is_not_there_is_refused(
    tmp_path: Path, wrong: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="compression"):
        HDF5StorageManager(tmp_path / "store", compression=wrong)
    assert not (tmp_path / "store").exists()


# While a sequence runs, and after


def test_the_file_can_be_opened_after_every_commit(running: HDF5StorageManager) -> None:
    for index in range(20):
        with record_each(running, (index, {"i": index}, {"frame": FRAME + index})) as file:
            assert len(file["shots"]) == index + 1
            assert file["parameters"]["i"].tolist() == list(range(index + 1))
            np.testing.assert_array_equal(file["data/frame"][index], FRAME + index)
            assert file["data/frame"][0, 0, 1] == 1


def test_the_file_stays_as_it_is_when_the_sequence_ends(of_all: HDF5StorageManager) -> None:
    before = shots_file(of_all).read_bytes()
    with of_all.session() as session:
        session.sequences.set_crashed(
            PATH, TracebackSummary.from_exception(RuntimeError("x")), START + SECOND
        )
    assert shots_file(of_all).read_bytes() == before


def test_a_second_launch_makes_a_file_of_its_own(of_all: HDF5StorageManager) -> None:
    with of_all.session() as session:
        finish(session)
    with of_all.session() as session:
        session.sequences.reset_to_draft(PATH)
        assert session.sequences.get_state(PATH) is State.DRAFT
    assert not shots_file(of_all).exists()
    with of_all.session() as session:
        session.paths.move(PATH, path(r"\2026\x"))
        session.paths.move(path(r"\2026\x"), PATH)
        relaunch(session)
        record(session)
    with h5py.File(shots_file(of_all)) as file:
        assert len(file["shots"]) == 1


def test_a_file_grows_by_the_shot_and_not_by_what_came_before(
    running: HDF5StorageManager,
) -> None:
    sizes = [shots_file(running).stat().st_size]
    for index in range(60):
        with running.session() as session:
            record(session, PATH, index, {"i": index}, {"frame": FRAME, "n": index})
        sizes.append(shots_file(running).stat().st_size)
    growth = np.diff(sizes)[1:]
    assert growth.max() < FRAME.nbytes + 20_000
    assert sizes[-1] < 60 * FRAME.nbytes * 1.2


# What others have done to it


def test_a_tail_that_nothing_refers_to_is_harmless(of_all: HDF5StorageManager) -> None:
    with of_all.session() as session:
        expected = content(session)
    file = shots_file(of_all)
    end = file.stat().st_size
    with file.open("ab") as appended:
        appended.write(b"\xaa" * 10_000)
    with of_all.session() as session:
        assert exactly_equal(content(session), expected)
    with h5py.File(file) as native:
        assert len(native["shots"]) == 7
    with of_all.session() as session:
        record(session, PATH, 7)
    assert file.stat().st_size < end + 10_000 + 4096
    with h5py.File(file) as native:
        assert len(native["shots"]) == 8


def test_a_file_of_a_later_version_is_not_misread(of_all: HDF5StorageManager) -> None:
    with h5py.File(shots_file(of_all), "r+", libver=("v110", "v110")) as file:
        file.attrs.modify("version", np.int64(2))
    with of_all.session() as session:
        with pytest.raises(StorageError, match="newer shotstore"):
            session.sequences.get_shots(PATH)
        with pytest.raises(StorageError, match="newer shotstore"):
            record(session, PATH, 7)


def test_a_file_of_something_else_is_damaged(of_all: HDF5StorageManager) -> None:
    shots_file(of_all).unlink()
    with h5py.File(shots_file(of_all), "w", libver=("v110", "v110")) as file:
        file["shots"] = [1, 2, 3]
    with (
        of_all.session() as session,
        pytest.raises(StorageError, match=r"shots\.h5 is damaged"),
    ):
        session.sequences.get_shots(PATH)


def test_schemas_whose_loading_was_interrupted_keep_their_numbers(
    running: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [quantity(1.0, "MHz"), quantity(5000.0, "kHz"), quantity(2.0, "MHz")]
    with running.session() as session:
        for index, value in enumerate(values):
            record(session, PATH, index, {"x": value})
    load, calls = schemas.load_schema, []

    def fail_twice(text: bytes) -> Schema:
        calls.append(text)
        if len(calls) in (2, 3):  # the second schema and its copy
            raise MemoryError
        return load(text)

    monkeypatch.setattr(schemas, "load_schema", fail_twice)
    with running.session() as session:
        with pytest.raises(MemoryError):
            session.sequences.get_shot_parameters(PATH, 1)
        found = [session.sequences.get_shot_parameters(PATH, index)["x"] for index in range(3)]
    assert [str(value) for value in found] == [str(value) for value in values]
