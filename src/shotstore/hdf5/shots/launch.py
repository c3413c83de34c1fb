"""What a sequence was launched with, as its shots file has it: twice, since nobody else has it."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import h5py
from attrs import frozen

from shotstore.hdf5.names import hdf5_name
from shotstore.hdf5.shots import own_objects
from shotstore.hdf5.shots.copies import copy_of, read_either
from shotstore.hdf5.shots.datasets import Datasets
from shotstore.hdf5.shots.fixed_texts import write_attribute, write_texts
from shotstore.hdf5.shots.stored_values import text_size
from shotstore.model import JSON

CONFIGURATION = "configuration"
"""The group of it."""
DEVICES = f"{CONFIGURATION}/device_configurations"
"""The group in that with a dataset for each device."""
DOCUMENTS = ("iteration", "time_lanes", "global_parameters")
"""The datasets in the first one."""

_EXPECTED_NUMBER = "expected_number_of_shots"


@frozen
class Launch:
    """What a sequence was launched with, as JSON."""

    iteration: JSON
    time_lanes: JSON
    global_parameters: JSON
    device_configurations: Mapping[str, tuple[str, JSON]]
    """Tag and content by name."""
    expected_number_of_shots: int | None
    """As the iteration told it; for who makes the document anew, and does not know the class."""


def write_launch(file: h5py.File, launch: Launch) -> None:
    """Write it into a new file."""
    if launch.expected_number_of_shots is not None:
        write_attribute(file, _EXPECTED_NUMBER, launch.expected_number_of_shots)
    _write_documents(file, CONFIGURATION, launch)


def write_copy(file: h5py.File, launch: Launch) -> None:
    """Write it for the second time."""
    _write_documents(file, copy_of(CONFIGURATION), launch)


def read_launch(file: h5py.File, datasets: Datasets) -> Launch:
    """Read it.

    Raises:
        Exception: it cannot be read, and neither can the copy.
    """

    def load(name: str) -> JSON:
        content: JSON = json.loads(bytes(datasets.rows[name].read(0, 1)[0]))
        return content

    def load_device(name: str) -> tuple[str, JSON]:
        content = load(name)
        return own_objects.read_text_attribute(file[name], "type"), content

    def list_names(group: str) -> list[str]:
        found: list[str] = []
        own_objects.list_names(file, group, found)
        return found

    documents: dict[str, Any] = {
        name: read_either(f"{CONFIGURATION}/{name}", load) for name in DOCUMENTS
    }
    return Launch(
        **documents,
        device_configurations={
            unquote(name): read_either(f"{DEVICES}/{name}", load_device)
            for name in read_either(DEVICES, list_names)
        },
        expected_number_of_shots=read_expected_number(file),
    )


def read_expected_number(file: h5py.File) -> int | None:
    """Return how many shots a sequence was to have when it was launched, if that was known.

    Raises:
        ValueError: shotstore has not written it so.
    """
    if _EXPECTED_NUMBER not in file.attrs:
        return None
    return own_objects.read_integer_attribute(file, _EXPECTED_NUMBER)


def _write_documents(file: h5py.File, group: str, launch: Launch) -> None:
    for name in DOCUMENTS:
        _write_document(file, f"{group}/{name}", getattr(launch, name))
    devices = file.create_group(DEVICES.replace(CONFIGURATION, group, 1))
    for name, (tag, content) in launch.device_configurations.items():
        write_attribute(_write_document(devices, hdf5_name(name), content), "type", tag)


def _write_document(parent: h5py.Group, name: str, content: JSON) -> h5py.Dataset:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    return write_texts(parent, name, [text], text_size(len(text)))
