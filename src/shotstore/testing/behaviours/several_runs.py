"""The shots of several sequences are one table, in one unit, with gaps where one has no value."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import numpy as np
import pytest

from shotstore import (
    DataNotFoundError,
    ExportError,
    IncompatibleUnitsError,
    PathNotFoundError,
    StorageManager,
)
from shotstore.model import Data, quantity
from shotstore.testing.experiments import MICROSECONDS, create, finish, launch, path, record

MONDAY, TUESDAY = path(r"\2026\23\rabi"), path(r"\2026\24\rabi")
RAMSEY = path(r"\2026\24\ramsey")


def record_some(storage: StorageManager) -> None:
    """Record three sequences, with frames and in different units, and create a draft."""
    with storage.session() as session:
        create(session, path(r"\2026\24\draft"))
        for at, unit, factor in ((TUESDAY, "s", 1), (MONDAY, "ms", 1000), (RAMSEY, "us", 10**6)):
            launch(session, at, shots=None)
            for index in (1, 0):
                data: dict[str, Data] = {"atoms": np.full((2, 3), index, "u2")}
                if at != MONDAY:
                    data["number"] = 10 * index
                record(
                    session, at, index, {"hold.time": quantity(factor * (index + 1), unit)}, data
                )
            finish(session, at)


@contextmanager
def empty_folder() -> Iterator[Path]:
    """Give a folder to write to, for as long as the block lasts."""
    with TemporaryDirectory() as directory:
        yield Path(directory)


def lines(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened))


def test_several_sequences_are_exported_as_one_table(storage: StorageManager) -> None:
    record_some(storage)
    with empty_folder() as folder:
        columns = ["sequence", "shot_index", "hold.time", "number"]
        file = storage.export(storage.find("rabi"), folder / "both.csv", columns=columns)
        assert lines(file) == [
            ["sequence", "shot_index", "hold.time (ms)", "number"],
            [str(MONDAY), "0", "1000.0", ""],
            [str(MONDAY), "1", "2000.0", ""],
            [str(TUESDAY), "0", "1000.0", "0"],
            [str(TUESDAY), "1", "2000.0", "10"],
        ]
        file = storage.export(
            [RAMSEY, r"\2026\*\rabi"], folder / "late.csv", columns=columns, where="time > 1.5 s"
        )
        assert [line[:3] for line in lines(file)[1:]] == [
            [str(at), "1", "2000.0"] for at in (MONDAY, TUESDAY, RAMSEY)
        ]
        with np.load(storage.export(r"\2026", folder / "all.npz")) as found:
            assert found["sequence"].tolist()[::2] == [str(MONDAY), str(TUESDAY), str(RAMSEY)]
            assert found["atoms"].dtype == np.uint16
            assert found["atoms"].mean((1, 2)).tolist() == [0, 1] * 3
            np.testing.assert_array_equal(found["number"], [np.nan, np.nan, 0, 10, 0, 10])


def test_one_path_is_exported_as_its_sequence(storage: StorageManager) -> None:
    record_some(storage)
    with empty_folder() as folder:
        file = storage.export(RAMSEY, folder / "ramsey.csv", columns=["number", "time"])
        assert lines(file) == [
            ["number", f"hold.time ({MICROSECONDS})"],
            ["0", "1000000"],
            ["10", "2000000"],
        ]
        with np.load(storage.export(RAMSEY, folder / "ramsey.npz")) as found:
            assert found["sequence"].item() == str(RAMSEY)
        with np.load(storage.export([RAMSEY], folder / "listed.npz")) as found:
            assert found["sequence"].tolist() == [str(RAMSEY)] * 2


def test_what_no_file_can_hold_is_refused_before_it_is_read(storage: StorageManager) -> None:
    record_some(storage)
    with empty_folder() as folder:
        with storage.session() as session:
            launch(session, path(r"\volts"), shots=None)
            record(session, path(r"\volts"), 0, {"hold.time": quantity(1, "V")})
        both = [str(RAMSEY), "volts"]
        for file, error, says in (
            ("runs.zip", ExportError, "of one sequence"),
            (
                "runs.csv",
                IncompatibleUnitsError,
                rf"in {MICROSECONDS} in .*ramsey and in V in .*volts",
            ),
        ):
            with pytest.raises(error, match=says):
                storage.export(both, folder / file)
        with pytest.raises(DataNotFoundError, match="did you mean 'number'"):
            storage.export(both, folder / "runs.csv", columns=["numbr"])
        with pytest.raises(PathNotFoundError, match="No sequence matches"):
            storage.export(r"\2027\*", folder / "runs.csv")
        with pytest.raises(PathNotFoundError, match="list of them is empty"):
            storage.export([], folder / "runs.csv")
        assert not list(folder.glob("runs*"))


def test_several_sequences_are_exported_awaited(storage: StorageManager) -> None:
    record_some(storage)
    with empty_folder() as folder:
        columns = ["time", "number"]
        with storage.session() as session:
            runs = [session.get_sequence(MONDAY), session.get_sequence(RAMSEY)]

        async def run() -> Path:
            return await storage.async_export(runs, folder / "awaited.csv", columns=columns)

        assert lines(anyio.run(run)) == lines(
            storage.export(runs, folder / "plain.csv", columns=columns)
        )
