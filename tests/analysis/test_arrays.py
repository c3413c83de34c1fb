"""Shots as numpy arrays, and as pandas and xarray have them."""

import sys
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from shotstore import (
    DataNotFoundError,
    MissingPackageError,
    PathNotFoundError,
    Sequence,
    StorageManager,
)
from shotstore.model import Data, quantity
from shotstore.testing.experiments import PATH, SECOND, START, create, launch, record


def record_run(storage: StorageManager) -> None:
    """Record shots of which one has no frame and one no number."""
    with storage.session() as session:
        launch(session, shots=None)
        for index in (3, 1, 0):
            data: dict[str, Data] = {"text": "a", "tags": np.arange(index)}
            if index != 1:
                data["atoms"] = np.full((2, 3), index, "u2")
            if index != 3:
                data["atom_number"] = 10 * index
            detuning = quantity(index, "MHz") if index else quantity(0.0, "kHz")
            record(session, index=index, parameters={"detuning": detuning}, data=data)


def test_arrays_are_sorted_and_have_nan_where_values_are_missing(storage: StorageManager) -> None:
    record_run(storage)
    with storage.session() as session:
        arrays = session.get_sequence(PATH).to_arrays()
    assert list(arrays) == [
        "shot_index",
        "shot_start_time",
        "shot_end_time",
        "detuning",
        "text",
        "tags",
        "atoms",
        "atom_number",
    ]
    assert arrays["shot_index"].tolist() == [0, 1, 3]
    assert arrays["shot_start_time"][1] == np.datetime64((START + SECOND).replace(tzinfo=None))
    assert arrays["detuning"].tolist() == [0, 1, 3]
    assert arrays["atoms"].dtype == np.float32
    np.testing.assert_array_equal(arrays["atoms"][:, 0, 0], [0, np.nan, 3])
    np.testing.assert_array_equal(arrays["atom_number"], [0, 10, np.nan])
    assert arrays["text"].tolist() == ["a", "a", "a"]
    assert [len(tags) for tags in arrays["tags"]] == [0, 1, 3]


def test_only_the_arrays_that_are_named_are_returned(storage: StorageManager) -> None:
    record_run(storage)
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        fixed = ["shot_index", "shot_start_time", "shot_end_time"]
        assert list(sequence.to_arrays(["detuning"])) == [*fixed, "detuning"]
        assert list(sequence.to_arrays([])) == fixed
        assert list(sequence.to_arrays(["shot_index", "sequence"])) == [*fixed, "sequence"]
        with pytest.raises(DataNotFoundError, match="did you mean 'detuning'"):
            sequence.to_arrays(["detunin"])
        with pytest.raises(TypeError):
            sequence.to_arrays("detuning")
        with pytest.raises(PathNotFoundError) as error:
            Sequence(r"\2026\rabbi", session).to_arrays()
        assert str(PATH) in error.value.__notes__[0]


def test_a_draft_has_empty_arrays(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        arrays = session.get_sequence(PATH).to_arrays()
        assert {name: len(array) for name, array in arrays.items()} == {
            "shot_index": 0,
            "shot_start_time": 0,
            "shot_end_time": 0,
            "pulse.length": 0,
        }
        assert session.get_sequence(PATH).to_pandas().empty
        assert session.get_sequence(PATH).to_xarray().sizes == {"shot": 0}


def test_a_pandas_frame_has_a_row_a_shot(storage: StorageManager) -> None:
    record_run(storage)
    with storage.session() as session:
        frame = session.get_sequence(PATH).to_pandas()
    assert frame.index.tolist() == [0, 1, 3]
    assert frame.index.name == "shot_index"
    assert frame["shot_start_time"][1].to_pydatetime() == START + SECOND
    assert frame["shot_start_time"].dt.tz == UTC
    assert frame["detuning"].tolist() == [0, 1, 3]
    assert frame["atoms"][3].tolist() == [[3, 3, 3], [3, 3, 3]]
    assert frame["atom_number"].isna().tolist() == [False, False, True]
    assert frame.attrs == {"sequence": str(PATH), "units": {"detuning": "MHz"}}


def test_an_xarray_dataset_has_a_dimension_of_shots(storage: StorageManager) -> None:
    record_run(storage)
    with storage.session() as session:
        dataset = session.get_sequence(PATH).to_xarray(["detuning", "atoms"])
    assert dict(dataset.sizes) == {"shot": 3, "y": 2, "x": 3}
    assert dataset["detuning"].attrs == {"units": "MHz"}
    assert dataset.sel(shot=3)["atoms"].values.tolist() == [[3, 3, 3], [3, 3, 3]]
    assert dataset.attrs == {"sequence": str(PATH)}
    assert "shot_start_time" in dataset.coords


def test_arrays_of_one_shape_share_their_dimensions(
    storage: StorageManager, tmp_path: Path
) -> None:
    """In NetCDF files as in datasets."""
    with storage.session() as session:
        launch(session)
        for index in range(2):
            data: dict[str, Data] = {
                "atoms": np.full((2, 3), 5 + index, "i4"),
                "dark": np.full((2, 3), 2, "i4"),
                "small": np.zeros((2, 2)),
                "cavity": np.ones(4),
                "probe": np.ones(4),
                "long": np.ones(5),
                "stack": np.zeros((2, 2, 3)),
            }
            record(session, index=index, data=data)
        sequence = session.get_sequence(PATH)
        dataset = sequence.to_xarray()
        file = sequence.export(tmp_path / "run.nc")
    with xr.open_dataset(file, engine="h5netcdf") as written:
        for found in (dataset, written):
            assert {str(name): found[name].dims[1:] for name in data} == {
                "atoms": ("y", "x"),
                "dark": ("y", "x"),
                "small": ("y_2", "x_2"),
                "cavity": ("sample",),
                "probe": ("sample",),
                "long": ("sample_2",),
                "stack": ("axis_0", "axis_1", "axis_2"),
            }
            difference = found["atoms"] - found["dark"]
            assert difference.dims == ("shot", "y", "x")
            assert difference.sel(shot=1).values.tolist() == [[4, 4, 4], [4, 4, 4]]


def test_a_parameter_that_is_called_like_a_dimension_keeps_its_name(
    storage: StorageManager,
) -> None:
    with storage.session() as session:
        launch(session)
        record(session, parameters={"x": 1.5, "shot": 7}, data={"atoms": np.zeros((2, 3))})
        dataset = session.get_sequence(PATH).to_xarray()
    assert dataset["x"].values.tolist() == [1.5]
    assert dataset["atoms"].dims == ("shot", "y_2", "x_2")
    assert dataset["parameter.shot"].values.tolist() == [7]
    assert dataset["shot"].values.tolist() == [0]


def test_integers_that_no_float_holds_stay_integers_where_some_are_missing(
    storage: StorageManager,
) -> None:
    with storage.session() as session:
        launch(session)
        record(session, index=0, data={"count": 2**60 + 1, "few": 3})
        record(session, index=1, data={})
        arrays = session.get_sequence(PATH).to_arrays()
    assert arrays["count"].tolist() == [2**60 + 1, None]
    np.testing.assert_array_equal(arrays["few"], [3, np.nan])


@pytest.mark.parametrize(
    ("package", "method", "command"),
    [
        ("polars", "scan", r'pip install .*"polars>='),
        ("pandas", "to_pandas", "pip install pandas"),
        ("xarray", "to_xarray", "pip install xarray"),
    ],
)
def test_a_package_that_is_missing_is_told(
    storage: StorageManager,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    method: str,
    command: str,
) -> None:
    record_run(storage)
    for name in [name for name in sys.modules if name.startswith("shotstore.analysis.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with storage.session() as session, pytest.raises(MissingPackageError, match=command):
        getattr(session.get_sequence(PATH), method)()
