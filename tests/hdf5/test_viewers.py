"""What a shots file tells other programs: which of its datasets are pictures, and what to open."""

import re
import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data
from shotstore.testing.experiments import launch, path, record

RUN = path(r"\run")
FRAME = np.arange(600, dtype=np.uint16).reshape(20, 30)
FIRST: dict[str, Data] = {
    "names": np.array(["Rb", "größer"]),
    "trace": np.arange(50.0),
    r"Camera\atoms": FRAME,
    "dark": FRAME,
    "small": FRAME[:5],
    "channels": np.ones((1, 9)),
    "note": "größer",
}


@pytest.fixture
def shots(storage: HDF5StorageManager) -> Path:
    """A shots file with frames of several labels, from several sessions."""
    with storage.session() as session:
        launch(session, RUN, shots=3)
    with storage.session() as session:
        record(session, RUN, 0, data=FIRST)
    with storage.session() as session:
        record(session, RUN, 1, data={"dark": FRAME[:, :7], "reference": FRAME})
    return storage.root / "sequences" / "run" / "shots.h5"


def text(item: h5py.HLObject, name: str) -> str:
    value = item.attrs[name]
    assert isinstance(value, np.bytes_)
    return value.decode()


def test_a_viewer_opens_the_file_on_the_first_label_with_frames(shots: Path) -> None:
    with h5py.File(shots) as file:
        assert text(file, "NX_class") == "NXroot"
        data = file[text(file, "default")]
        assert text(data, "NX_class") == "NXdata"
        signal = data[text(data, "signal")]
        np.testing.assert_array_equal(signal[0], FRAME)
        others = [name.decode() for name in data.attrs["auxiliary_signals"]]
        assert others == ["dark", "reference"]
        assert all(data[name].shape[1:] == signal.shape[1:] for name in others)


def test_stacks_of_frames_are_images_and_nothing_else_is(shots: Path) -> None:
    with h5py.File(shots) as file:
        images = {name for name, item in file["data"].items() if "CLASS" in item.attrs}
        assert images == {r"Camera\atoms", "dark", "dark#2", "small", "reference"}
        for name in images:
            assert text(file["data"][name], "CLASS") == "IMAGE"
            assert text(file["data"][name], "interpretation") == "image"


def test_a_run_without_frames_has_no_signal(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session, RUN, shots=1)
        record(session, RUN, 0, data={"trace": np.arange(5.0), "n": 1})
    with h5py.File(storage.root / "sequences" / "run" / "shots.h5") as file:
        assert text(file["data"], "NX_class") == "NXdata"
        assert "signal" not in file["data"].attrs


def test_texts_in_arrays_are_marked_as_utf_8(shots: Path) -> None:
    with h5py.File(shots) as file:
        names = file["data/names"]
        assert names.id.get_type().get_cset() == h5py.h5t.CSET_UTF8
        assert names.asstr()[0].tolist() == ["Rb", "größer"]


@pytest.mark.skipif(shutil.which("h5dump") is None, reason="needs h5dump")
def test_h5dump_shows_attributes_of_fixed_length(shots: Path) -> None:
    said = subprocess.run(
        ["h5dump", "-A", str(shots)], check=True, capture_output=True, encoding="utf-8"
    ).stdout
    assert "H5T_VARIABLE" not in said
    assert "VLEN" not in said
    for attribute in ("NX_class", "default", "signal", "auxiliary_signals", "CLASS"):
        [*kinds] = re.findall(rf'ATTRIBUTE "{attribute}" {{\s*DATATYPE  (\S+) {{', said)
        assert kinds
        assert set(kinds) == {"H5T_STRING"}
    assert said.count('"IMAGE"') == 5
