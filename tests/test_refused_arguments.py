"""Pictures, exports, copies, the trash and storages themselves refuse what is of another kind."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from shotstore import DataNotFoundError, ExportError, Sequence, State, StorageError, StorageManager
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.sql import (
    PostgreSQLConfig,
    PostgreSQLStorageManager,
    SQLiteConfig,
    SQLiteStorageManager,
)
from shotstore.testing import serializer
from shotstore.testing.content import content
from shotstore.testing.experiments import PATH, create, finish, launch, path, record

CONFIG = SQLiteConfig("new.db")
DELETED = path(r"\deleted")
WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(True, 0, -1, 2**70, 1.5, float("nan"), 1j, b"x", object(), len, ...),
        *("", "text", "a\0b", "\ud800", "counts", "index"),
        *([], (), {}, set(), [None], [b"x"], [[]], {5: 5}, {"a": object()}),
        *(range(2), np.arange(3), np.array([None]), np.zeros((2, 2)), np.float64(1)),
        *(datetime(2026, 1, 1), timedelta(-1), State.DRAFT, PATH),  # noqa: DTZ001
    ]
)
ON_FIXTURES = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(params=["files", "sqlite"])
def lab(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StorageManager]:
    """A storage with a finished run, in a directory with nothing else."""
    monkeypatch.chdir(tmp_path)
    storage: StorageManager
    if request.param == "files":
        storage = HDF5StorageManager(tmp_path / "lab", serializer=serializer())
    else:
        database = SQLiteStorageManager(SQLiteConfig(tmp_path / "lab.db"), serializer=serializer())
        database.upgrade()
        storage = database
    with storage.session() as session:
        launch(session, shots=3)
        for index in range(3):
            record(session, index=index, data={"counts": index, "frame": np.ones((4, 4), "u2")})
        finish(session)
    with mpl.rc_context({"backend": "agg"}):
        yield storage
    pyplot.close("all")


@pytest.fixture
def files(tmp_path: Path) -> HDF5StorageManager:
    """A store of files with something in its trash."""
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    with storage.session() as session:
        create(session, DELETED)
    with storage.session() as session:
        session.paths.delete_path(DELETED, delete_sequences=True)
    return storage


def _content(storage: StorageManager) -> dict[str, Any]:
    with storage.session() as session:
        return content(session)


ON_SEQUENCES: dict[str, Callable[[Sequence, Any], object]] = {
    "plot(x)": lambda sequence, value: sequence.plot(value, "counts"),
    "plot(y)": lambda sequence, value: sequence.plot("index", value),
    "plot(where)": lambda sequence, value: sequence.plot("index", "counts", where=value),
    "plot(by)": lambda sequence, value: sequence.plot("index", "counts", by=value),
    "plot(axes)": lambda sequence, value: sequence.plot("index", "counts", axes=value),
    "plot_image(label)": lambda sequence, value: sequence.plot_image(value),
    "plot_image(mean)": lambda sequence, value: sequence.plot_image("frame", mean=value),
    "plot_image(where)": lambda sequence, value: sequence.plot_image("frame", where=value),
    "plot_image(axes)": lambda sequence, value: sequence.plot_image("frame", axes=value),
    "export(to)": lambda sequence, value: sequence.export("a.csv", to=value),
    "export(columns)": lambda sequence, value: sequence.export("a.csv", columns=value),
    "export(where)": lambda sequence, value: sequence.export("a.csv", where=value),
    "export(force)": lambda sequence, value: sequence.export("a.csv", force=value),
    "to_pandas(names)": lambda sequence, value: sequence.to_pandas(value),
    "to_xarray(names)": lambda sequence, value: sequence.to_xarray(value),
}


@pytest.mark.filterwarnings("ignore::shotstore.ExportWarning")
@ON_FIXTURES
@given(name=st.sampled_from(sorted(ON_SEQUENCES)), value=WRONG)
def test_pictures_and_exports_refuse_what_they_cannot_mean(
    lab: StorageManager, name: str, value: object
) -> None:
    Path("a.csv").unlink(missing_ok=True)
    with lab.session() as session:
        sequence = session.get_sequence(PATH)
        try:
            ON_SEQUENCES[name](sequence, value)
        except (TypeError, ValueError, DataNotFoundError):
            assert not Path("a.csv").exists()
            assert len(sequence.to_arrays()["counts"]) == 3
    pyplot.close("all")


@pytest.mark.parametrize("value", [5, True, b"x", [], {}, ..., np.arange(3)], ids=repr)
def test_wrong_kinds_are_type_errors_everywhere(lab: StorageManager, value: Any) -> None:
    with lab.session() as session:
        sequence = session.get_sequence(PATH)
        for name, call in ON_SEQUENCES.items():
            if "(mean)" in name or "(force)" in name:
                continue
            if isinstance(value, list) and name in ("export(columns)", "plot(y)"):
                continue
            if isinstance(value, list | dict) and "names" in name:
                continue
            with pytest.raises((TypeError, ExportError, DataNotFoundError)) as refused:
                call(sequence, value)
            if not isinstance(value, dict):
                assert isinstance(refused.value, TypeError), name
        for text in ("yes", 1, None):
            with pytest.raises(TypeError, match="must be True or False"):
                sequence.export("a.csv", force=text)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="must be True or False"):
                sequence.plot_image("frame", mean=text)  # type: ignore[arg-type]
    assert not Path("a.csv").exists()


def test_an_export_of_no_columns_is_refused(lab: StorageManager) -> None:
    with lab.session() as session, pytest.raises(ExportError, match="leave 'columns' out"):
        session.get_sequence(PATH).export("a.csv", columns=[])
    assert not Path("a.csv").exists()


@pytest.mark.parametrize("value", [None, 5, "lab", ..., Path("lab")], ids=repr)
def test_a_copy_is_between_storages(lab: StorageManager, tmp_path: Path, value: Any) -> None:
    other = HDF5StorageManager(tmp_path / "other", serializer=serializer())
    for source, destination in ((value, other), (lab, value)):
        with pytest.raises(TypeError, match="Storages are copied between"):
            copy_path("/", source, destination)
    if not isinstance(value, str):
        with pytest.raises(TypeError, match="A path must be"):
            copy_path(value, lab, other)
        with pytest.raises(TypeError, match="existing must be"):
            copy_path("/", lab, other, existing=value)
    with pytest.raises(TypeError, match="progress must be a function"):
        copy_path("/", lab, other, progress=value)
    with pytest.raises(ValueError, match='"error" or "skip"'):
        copy_path("/", lab, other, existing="replace")  # type: ignore[arg-type]
    assert _content(other).keys() == {"parameters", "devices"}


@ON_FIXTURES
@given(value=WRONG)
def test_the_trash_removes_nothing_by_mistake(files: HDF5StorageManager, value: Any) -> None:
    [entry] = files.trash.entries()
    with pytest.raises((TypeError, ValueError)):
        files.trash.empty(older_than=value)
    for call in (files.trash.remove, files.trash.restore):
        with contextlib.suppress(TypeError, StorageError):
            call(value)
    if not isinstance(value, str):
        with pytest.raises(TypeError):
            files.trash.restore(value)
        with pytest.raises((TypeError, StorageError, ValueError)):
            files.trash.restore(entry, [value])  # type: ignore[arg-type]
    assert files.trash.entries() == [entry]
    assert _content(files).keys() == {"parameters", "devices"}


def test_a_single_entry_of_the_trash_is_not_several(files: HDF5StorageManager) -> None:
    [entry] = files.trash.entries()
    single: list[Any] = [entry, entry.id]
    for one in single:
        with pytest.raises(TypeError, match="Several entries"):
            files.trash.remove(one)
    with pytest.raises(TypeError, match="older_than must be a timedelta"):
        files.trash.empty(older_than=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="older_than must not be negative"):
        files.trash.empty(older_than=timedelta(-1))
    assert files.trash.remove([entry.id]) == [entry]


OPENING: dict[str, Callable[[Any], object]] = {
    "root": HDF5StorageManager,
    "serializer": lambda value: HDF5StorageManager("new", serializer=value),
    "lock_timeout": lambda value: HDF5StorageManager("new", lock_timeout=value),
    "read_only": lambda value: HDF5StorageManager("new", read_only=value),
    "compression": lambda value: HDF5StorageManager("new", compression=value),
    "trash_retention": lambda value: HDF5StorageManager("new", trash_retention=value),
    "SQLite config": SQLiteStorageManager,
    "SQLite serializer": lambda value: SQLiteStorageManager(CONFIG, serializer=value),
    "SQLite lock_timeout": lambda value: SQLiteStorageManager(CONFIG, lock_timeout=value),
    "PostgreSQL config": PostgreSQLStorageManager,
    "SQLiteConfig": SQLiteConfig,
    "SQLiteConfig.from_url": SQLiteConfig.from_url,
    "SQLiteConfig.from_file": SQLiteConfig.from_file,
    "PostgreSQLConfig.from_url": PostgreSQLConfig.from_url,
    "PostgreSQLConfig.from_file": PostgreSQLConfig.from_file,
    "PostgreSQLConfig username": lambda value: PostgreSQLConfig(value, "password", "host"),
    "PostgreSQLConfig password": lambda value: PostgreSQLConfig("me", value, "host"),
    "PostgreSQLConfig host": lambda value: PostgreSQLConfig("me", "password", value),
    "PostgreSQLConfig port": lambda value: PostgreSQLConfig("me", "password", "host", value),
    "PostgreSQLConfig database": lambda value: PostgreSQLConfig(
        "me", "password", "host", database=value
    ),
}
TAKEN = {"lock_timeout": 0, "SQLite lock_timeout": 0, "compression": 0, "read_only": True}


@pytest.mark.parametrize("name", OPENING)
@pytest.mark.parametrize(
    "value",
    [0, -1, True, 1j, b"x", ..., [], {}, (), len, np.arange(3), timedelta(-1)],
    ids=repr,
)
def test_no_storage_is_opened_with_what_is_of_another_kind(
    tmp_path: Path, name: str, value: Any
) -> None:
    if name in TAKEN and value is TAKEN[name]:
        return
    with pytest.raises((TypeError, ValueError)) as refused:
        OPENING[name](value)
    is_number = isinstance(value, int | timedelta) and not isinstance(value, bool)
    assert isinstance(refused.value, TypeError) or is_number
    assert list(tmp_path.iterdir()) == []


def test_verify_and_recover_take_a_function_for_progress(files: HDF5StorageManager) -> None:
    wrong: list[Any] = [5, "text", [], object()]
    for value in wrong:
        with pytest.raises(TypeError, match="progress must be a function"):
            files.verify(progress=value)
        with pytest.raises(TypeError, match="progress must be a function"):
            files.recover("deleted", progress=value)
