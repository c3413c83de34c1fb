"""Attributes that let other programs open a shots file on its frames.

Those of NeXus, which h5web, silx and NeXpy read
(https://manual.nexusformat.org/classes/base_classes/NXdata.html), and the one by which HDFView
knows an image (https://support.hdfgroup.org/documentation/hdf5/latest/_i_m_g.html). shotstore
itself reads none of them.
"""

import h5py
import numpy as np

from shotstore.hdf5.shots.fixed_texts import text_dtype, write_attribute
from shotstore.hdf5.shots.rows import Rows

_MOST_SIGNALS = 32
_LONGEST_NAME = 256
"""Bytes of a dataset's name that may stand in an attribute, which is to stay short."""


def describe_file(file: h5py.File) -> None:
    """Say of a file without shots that what is worth looking at is in ``/data``."""
    write_attribute(file, "NX_class", "NXroot")
    write_attribute(file, "default", "data")
    write_attribute(file["data"], "NX_class", "NXdata")


def describe_unit(file: h5py.File, name: str, unit: str | None) -> None:
    """Say of a dataset that was just created in which unit its numbers are, if there is one."""
    if unit:
        write_attribute(file[name], "units", unit)


def describe_frames(file: h5py.File, name: str, rows: Rows) -> None:
    """Say of a dataset that was just created whether its rows are frames, and show them.

    The first label with frames is what a viewer opens on, and those of frames of the same shape are
    what it offers beside it.
    """
    if len(rows.row_shape) != 2 or min(rows.row_shape) < 2 or rows.dtype.kind not in "uif":
        return
    write_attribute(file[name], "CLASS", "IMAGE")
    write_attribute(file[name], "interpretation", "image")
    group = file["data"]
    link = name.removeprefix("data/")
    if len(link.encode()) > _LONGEST_NAME:
        return
    if "signal" not in group.attrs:
        write_attribute(group, "signal", link)
        return
    signal = file["data"][group.attrs["signal"]]
    others = group.attrs["auxiliary_signals"].tolist() if "auxiliary_signals" in group.attrs else []
    if signal.shape[1:] == rows.row_shape and len(others) < _MOST_SIGNALS:
        names = [*others, link.encode()]
        group.attrs.create(
            "auxiliary_signals", np.array(names), dtype=text_dtype(max(map(len, names)))
        )
