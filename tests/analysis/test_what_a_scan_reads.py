"""A scan reads the columns and shots that a query asks for, and nothing of the others."""

import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from shotstore import ExperimentSession
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.shots import own_objects, stored_values, structures
from shotstore.hdf5.shots.rows import Rows
from shotstore.model import Data, quantity, structured_from_json
from shotstore.testing.experiments import PATH, launch, path, record
from tests.analysis.conftest import FRAME, BytesRead, Reading

SHOTS = 200
TABLES = 96 * 1024
"""Bytes; more than all that is no frame, and no more than three frames."""
FIRST = pl.col("atoms").arr.first().arr.first()


@pytest.fixture
def run(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a run of frames."""
    with storage.session() as session:
        record_frames(session, SHOTS)
    return storage


def record_frames(session: ExperimentSession, shots: int) -> None:
    launch(session, shots=None)
    for index in range(shots):
        record(
            session,
            index=index,
            parameters={"detuning": quantity(index, "MHz"), "repetition": index % 2},
            data={"atoms": FRAME + np.uint16(index), "background": FRAME, "atom_number": index},
        )


def frames(read: BytesRead) -> float:
    return read.count / FRAME.nbytes


def test_what_is_no_frame_is_small(run: HDF5StorageManager, reading: Reading) -> None:
    with reading() as read, run.session() as session:
        table = session.sequences.scan(PATH).drop("atoms", "background").collect()
    assert table["atom_number"].to_list() == list(range(SHOTS))
    assert 0 < read.count < TABLES


def test_labels_that_are_not_asked_for_are_not_read(
    run: HDF5StorageManager, reading: Reading
) -> None:
    with reading() as read, run.session() as session:
        table = session.sequences.scan(PATH).select("detuning", "atoms").collect()
    assert table["atoms"].to_numpy()[7, 0, 0] == 7
    assert SHOTS <= frames(read) < SHOTS + 3


@pytest.mark.parametrize(
    "condition",
    [
        pl.col("detuning") > SHOTS - 11,
        pl.col("atom_number").is_between(20, 29),
        (pl.col("detuning") < 20) & (pl.col("repetition") == 1),
        pl.col("shot_index").is_in([1, 5, 9, 44, 60, 90, 91, 92, 100, 199]),
        (pl.col("detuning") >= 190) & (pl.col("sequence") == str(PATH)),
    ],
    ids=str,
)
def test_frames_of_shots_that_are_filtered_out_are_not_read(
    run: HDF5StorageManager, reading: Reading, condition: pl.Expr
) -> None:
    with reading() as read, run.session() as session:
        table = session.sequences.scan(PATH).filter(condition).select("atoms").collect()
    assert table.height == 10
    assert 10 <= frames(read) < 13


def test_a_filter_may_call_a_function_of_python(run: HDF5StorageManager, reading: Reading) -> None:
    def is_large(detuning: pl.Series) -> pl.Series:
        return detuning > SHOTS - 11

    condition = pl.col("detuning").map_batches(
        is_large, return_dtype=pl.Boolean, is_elementwise=True
    )
    with reading() as read, run.session() as session:
        table = session.sequences.scan(PATH).filter(condition).select("atoms").collect()
    assert table.height == 10
    assert 10 <= frames(read) < 13


def test_a_condition_on_frames_reads_those_that_the_other_conditions_leave(
    run: HDF5StorageManager, reading: Reading
) -> None:
    with reading() as read, run.session() as session:
        shots = session.sequences.scan(PATH).filter(FIRST >= 5, pl.col("detuning") < 10)
        table = shots.select("shot_index", "background").collect()
    assert table["shot_index"].to_list() == [5, 6, 7, 8, 9]
    assert 10 + 5 <= frames(read) < 10 + 5 + 3


def test_the_first_shots_are_all_that_is_read(run: HDF5StorageManager, reading: Reading) -> None:
    with reading() as read, run.session() as session:
        table = session.sequences.scan(PATH).head(4).select("atoms").collect()
    assert table.height == 4
    assert 4 <= frames(read) < 4 + 3


def test_the_first_matching_shots_do_not_take_reading_all(
    run: HDF5StorageManager, reading: Reading
) -> None:
    with reading() as read, run.session() as session:
        shots = session.sequences.scan(PATH).filter(pl.col("repetition") == 1)
        assert shots.head(1).collect()["shot_index"].to_list() == [1]
    assert frames(read) < SHOTS  # polars asks for some batches ahead


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each dataset was opened."""
    counter: Counter[str] = Counter()
    open_dataset = own_objects.open_dataset

    def note(file: h5py.File, name: str, length: int) -> own_objects.OpenDataset:
        counter[name] += 1
        return open_dataset(file, name, length)

    monkeypatch.setattr(own_objects, "open_dataset", note)
    return counter


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[Rows]:
    """How often each dataset was read."""
    counter: Counter[Rows] = Counter()
    read = Rows.read

    def note(rows: Rows, start: int, count: int, values: int | None = None) -> npt.NDArray[Any]:
        counter[rows] += 1
        return read(rows, start, count, values)

    monkeypatch.setattr(Rows, "read", note)
    return counter


def test_of_many_labels_each_dataset_is_opened_once_and_read_once(
    storage: HDF5StorageManager, opened: Counter[str], reads: Counter[Rows]
) -> None:
    data: dict[str, Data] = {f"counter {number}": number / 7 for number in range(450)}
    data |= {f"trace {number}": np.arange(16) + number for number in range(150)}
    with storage.session() as session:
        launch(session, shots=None)
        for index in range(40):
            record(session, index=index, data=data)
    opened.clear()
    reads.clear()
    found = HDF5StorageManager(storage.root).scan(PATH).collect()
    assert found["counter 449"].to_list() == [449 / 7] * 40
    assert found["trace 149"].to_numpy()[39].tolist() == list(range(149, 165))
    # Of a file this young, what a session has read is not kept for the next one.
    to_plan = {name: opened.pop(name) for name in ("shots", "schemas")}
    assert max(to_plan.values()) <= 2
    assert opened.keys() >= {"parameters", "scalars#5", "data/trace 149"}
    assert (len(opened), set(opened.values())) == (150 + 6, {1})
    assert reads.total() <= 150 + 6 + 8


def test_arrays_are_read_of_the_names_that_are_asked_for(
    run: HDF5StorageManager, reading: Reading
) -> None:
    with reading() as read, run.session() as session:
        arrays = session.get_sequence(PATH).to_arrays(["atoms", "detuning"])
    assert arrays["atoms"].shape == (SHOTS, 128, 128)
    assert SHOTS <= frames(read) < SHOTS + 3


def test_sequences_that_are_filtered_out_are_not_opened(
    storage: HDF5StorageManager, reading: Reading
) -> None:
    with storage.session() as session:
        for number in range(20):
            launch(session, path(rf"\{number:02}"), None)
            record(session, path(rf"\{number:02}"), data={"atoms": FRAME})
    shots = storage.scan()
    with reading() as read:
        wanted = pl.col("sequence").is_in([r"\03", r"\17"]) & (pl.col("index") == 0)
        assert shots.filter(wanted).collect().height == 2
    assert read.files == 2
    with reading() as read:
        assert shots.head(3).collect().height == 3
    assert read.files <= 3


def record_fits(session: ExperimentSession, indices: range, key: str = "center") -> None:
    for index in indices:
        fit: Data = {key: [index / 7, index], "name": f"fit {index} in {session.storage}"}
        record(session, index=index, parameters={"detuning": index}, data={"fit": fit})


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each JSON text was parsed; the process has seen none of another test."""
    counter: Counter[str] = Counter()

    def note(text: str) -> Data:
        counter[text] += 1
        return structured_from_json(text)

    for module in (structures, stored_values):
        monkeypatch.setattr(module, "structured_from_json", note)
    return counter


def test_dicts_are_parsed_once_for_their_type(
    storage: HDF5StorageManager, parsed: Counter[str]
) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        record_fits(session, range(600))
    first = storage.scan(PATH)
    assert (len(parsed), parsed.total()) == (600, 600)
    assert storage.scan(PATH).collect_schema() == first.collect_schema()
    assert first.select("detuning").collect().height == 600
    with storage.session() as session:
        assert "fit" in session.sequences.scan(PATH).collect_schema()
    assert parsed.total() == 600


def test_of_a_run_that_goes_on_the_last_dicts_are_parsed(
    storage: HDF5StorageManager, parsed: Counter[str]
) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        record_fits(session, range(600))
    storage.scan(PATH)
    parsed.clear()
    with storage.session() as session:
        record_fits(session, range(600, 610), "width")
    schema = storage.scan(PATH).collect_schema()
    assert schema["fit"] == pl.Struct(
        {"center": pl.List(pl.Float64), "name": pl.String, "width": pl.List(pl.Float64)}
    )
    assert len(parsed) == parsed.total() == 600 % 256 + 10


def test_dicts_that_were_discarded_have_no_say_in_the_type(
    storage: HDF5StorageManager, parsed: Counter[str]
) -> None:
    with storage.session() as session:
        launch(session, shots=None)
    with suppress(InterruptedError), storage.session() as session:
        record_fits(session, range(5), "center")
        assert session.sequences.scan(PATH).collect()["fit"].struct.fields == ["center", "name"]
        raise InterruptedError
    with storage.session() as session:
        record_fits(session, range(5), "width")
    assert storage.scan(PATH).collect()["fit"].struct.fields == ["width", "name"]
    assert max(parsed.values()) == 2  # once for the type, once for the column


AGGREGATE = r"""
import resource, sys
import polars as pl
from shotstore.hdf5 import HDF5StorageManager

storage = HDF5StorageManager(sys.argv[1], read_only=True)
pixel = pl.col("atoms").arr.to_list().list.eval(pl.element().arr.mean()).list.mean()


def mean(shots):
    return shots.select(pixel.alias("mean")).collect(engine=sys.argv[2]).height


before = mean(storage.scan(r"\2026\small")), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
after = mean(storage.scan(r"\2026\large")), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(before[0], after[0], (after[1] - before[1]) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured in KiB on Linux")
def test_memory_stays_bounded_over_many_frames(storage: HDF5StorageManager) -> None:
    frame = np.zeros((512, 512), "u2")
    counts = {"small": 60, "large": 800}  # 30 and 400 MiB
    for name, count in counts.items():
        with storage.session() as session:
            launch(session, path(rf"\2026\{name}"), None)
            for index in range(count):
                record(session, path(rf"\2026\{name}"), index, data={"atoms": frame})
    found = subprocess.run(
        [sys.executable, "-c", AGGREGATE, str(Path(storage.root)), "streaming"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    small, large, more = map(int, found.split())
    assert (small, large) == (60, 800)
    assert more < 150 * 2**20
