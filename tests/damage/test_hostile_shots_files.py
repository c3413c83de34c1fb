"""Files of shots that were made to harm their reader. All their checksums are right."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from shotstore import DamagedStorageError
from shotstore.hdf5 import HDF5StorageManager
from tests.damage import specimen
from tests.damage.reader import REFUSED, WRONG, Outcome, Reader

Change = Callable[[h5py.File, Path], None]


def _replaced(file: h5py.File, name: str) -> np.ndarray[Any, Any]:
    content: np.ndarray[Any, Any] = file[name][:]
    del file[name]
    return content


def _like_ours(file: h5py.File, name: str, data: Any, **changes: Any) -> h5py.Dataset:
    shape = np.shape(data)
    arguments = {"chunks": shape, "maxshape": (None, *shape[1:]), "fletcher32": True} | changes
    return file.create_dataset(name, data=data, **arguments)


def _external_link(name: str) -> Change:
    def change(file: h5py.File, outside: Path) -> None:
        del file[name]
        file[name] = h5py.ExternalLink(str(outside), name)

    return change


def _soft_link_in_a_loop(name: str) -> Change:
    def change(file: h5py.File, _: Path) -> None:
        del file[name]
        file[name] = h5py.SoftLink(f"/{name} again")
        file[f"{name} again"] = h5py.SoftLink(f"/{name}")

    return change


def _external_storage(file: h5py.File, outside: Path) -> None:
    shots = _replaced(file, "shots")
    raw = outside.with_name("raw")
    raw.write_bytes(shots.tobytes())
    file.create_dataset(
        "shots", shots.shape, shots.dtype, external=[(str(raw), 0, h5py.h5f.UNLIMITED)]
    )


def _virtual_dataset(file: h5py.File, outside: Path) -> None:
    shots = _replaced(file, "shots")
    layout = h5py.VirtualLayout(shots.shape, shots.dtype)
    layout[:] = h5py.VirtualSource(str(outside), "shots", shots.shape)
    file.create_virtual_dataset("shots", layout)


def _references(file: h5py.File, _: Path) -> None:
    del file["data/trace"]
    _like_ours(file, "data/trace", np.array([file.ref] * 6, h5py.ref_dtype))


def _variable_length(name: str) -> Change:
    def change(file: h5py.File, _: Path) -> None:
        # HDF5 has no checksums for these.
        _like_ours(
            file,
            name,
            np.array(["x"] * len(_replaced(file, name)), h5py.string_dtype()),
            fletcher32=False,
        )

    return change


def _attribute_of_variable_length(file: h5py.File, _: Path) -> None:
    file.attrs["sequence"] = "a text"


def _many_rows(name: str) -> Change:
    def change(file: h5py.File, _: Path) -> None:
        file[name].resize(2**60, axis=0)

    return change


def _huge_row(file: h5py.File, _: Path) -> None:
    del file["data/trace"]
    file.create_dataset(
        "data/trace",
        (6, 2**40),
        "<f8",
        maxshape=(None, 2**40),
        chunks=(1, 2**20),
        fletcher32=True,
    )


def _spans_outside(file: h5py.File, _: Path) -> None:
    file["data/time tags#2#rows"][:] = np.array((2**63, 2**63), file["data/time tags#2#rows"].dtype)


def _long_spans(file: h5py.File, _: Path) -> None:
    file["data/time tags#2"].resize(2**60, axis=0)
    spans = file["data/time tags#2#rows"]
    spans[:] = np.array((0, 2**58), spans.dtype)


def _times_out_of_range(file: h5py.File, _: Path) -> None:
    shots = file["shots"][:]
    shots["start_time"] = 2**63 - 1
    file["shots"][:] = shots


def _same_index_twice(file: h5py.File, _: Path) -> None:
    shots = file["shots"][:]
    shots["shot_index"] = 1
    file["shots"][:] = shots


def _unknown_schema(file: h5py.File, _: Path) -> None:
    shots = file["shots"][:]
    shots["schema"] = 2**32 - 1
    file["shots"][:] = shots


def _short_chunk(length: int, filter_mask: int) -> Change:
    def change(file: h5py.File, _: Path) -> None:
        # Four zeros are the right checksum of no data.
        for row in range(len(file["data/frame"])):
            file["data/frame"].id.write_direct_chunk((row, 0, 0), bytes(length), filter_mask)

    return change


def _without_checksums(file: h5py.File, _: Path) -> None:
    shots = _replaced(file, "shots")
    _like_ours(file, "shots", shots, fletcher32=False)


def _other_type(file: h5py.File, _: Path) -> None:
    picture = _replaced(file, "data/Camera\\picture")
    _like_ours(file, "data/Camera\\picture", picture.astype("<u4"))


def _shots_in_two_dimensions(file: h5py.File, _: Path) -> None:
    shots = _replaced(file, "shots")
    _like_ours(file, "shots", np.stack([shots, shots], axis=1))


def _many_links(file: h5py.File, _: Path) -> None:
    del file["data/trace"]
    group = file["data"].id
    for number in range(100_000):
        group.links.create_soft(b"%d" % number, b"/shots")


def _nested_configuration(file: h5py.File, _: Path) -> None:
    del file["configuration/iteration"]
    text = b"[" * 100_000 + b"]" * 100_000
    _like_ours(file, "configuration/iteration", np.array([text]))


def _configuration_of_another_kind(file: h5py.File, _: Path) -> None:
    for name in ("iteration", "global_parameters"):
        del file[f"configuration/{name}"]
        _like_ours(file, f"configuration/{name}", np.array([b'{"type": [1e999]}']))


def _a_group_for_a_dataset(file: h5py.File, _: Path) -> None:
    del file["shots"]
    file.create_group("shots")


def _a_dataset_for_a_group(file: h5py.File, _: Path) -> None:
    del file["configuration"]
    _like_ours(file, "configuration", np.zeros(3))


def _without(name: str) -> Change:
    def change(file: h5py.File, _: Path) -> None:
        del file[name]

    return change


def _later_version(file: h5py.File, _: Path) -> None:
    file.attrs.modify("version", -1)
    del file.attrs["format"]


def _schema(change: Callable[[dict[str, Any]], object]) -> Change:
    """Change every slot in all schemas."""

    def apply(file: h5py.File, _: Path) -> None:
        dataset = file["schemas"]
        texts = []
        for text in dataset[:]:
            content = json.loads(text)
            for slot in (*content["parameters"], *content["data"]):
                change(slot)
            texts.append(json.dumps(content).encode())
        del file["schemas"]
        size = max(map(len, texts))
        _like_ours(file, "schemas", np.array(texts, h5py.string_dtype(length=size)))

    return apply


def _schema_text(text: bytes) -> Change:
    def change(file: h5py.File, _: Path) -> None:
        rows = len(_replaced(file, "schemas"))
        _like_ours(file, "schemas", np.array([text] * rows))

    return change


_CHANGES: dict[str, Change] = {
    "an external link for the shots": _external_link("shots"),
    "an external link for the schemas": _external_link("schemas"),
    "an external link for a label": _external_link("data/trace"),
    "an external link for a group": _external_link("data"),
    "an external link for the configuration": _external_link("configuration"),
    "an external link for a device": _external_link("configuration/device_configurations/camera 1"),
    "a loop of soft links": _soft_link_in_a_loop("shots"),
    "a loop of soft links for the schemas": _soft_link_in_a_loop("schemas"),
    "external storage": _external_storage,
    "a virtual dataset": _virtual_dataset,
    "references": _references,
    "shots of variable length": _variable_length("shots"),
    "schemas of variable length": _variable_length("schemas"),
    "a label of variable length": _variable_length("data/comment"),
    "a configuration of variable length": _variable_length("configuration/iteration"),
    "an attribute of variable length": _attribute_of_variable_length,
    "shots in two dimensions": _shots_in_two_dimensions,
    "many links": _many_links,
    "2**60 shots": _many_rows("shots"),
    "2**60 schemas": _many_rows("schemas"),
    "a row of 8 TiB": _huge_row,
    "spans outside": _spans_outside,
    "spans of 1 EiB": _long_spans,
    "times out of range": _times_out_of_range,
    "an index twice": _same_index_twice,
    "an unknown schema": _unknown_schema,
    "chunks without checksum": _short_chunk(96 * 96 * 2, filter_mask=1),
    "chunks that are too short": _short_chunk(4, filter_mask=0),
    "short chunks without checksum": _short_chunk(8, filter_mask=1),
    "no checksums": _without_checksums,
    "another type": _other_type,
    "deep JSON": _nested_configuration,
    "JSON of another kind": _configuration_of_another_kind,
    "a group for a dataset": _a_group_for_a_dataset,
    "a dataset for a group": _a_dataset_for_a_group,
    "no shots": _without("shots"),
    "no schemas": _without("schemas"),
    "no data": _without("data"),
    "no format": _later_version,
    "slots in another dataset": _schema(lambda slot: slot.update(dataset="data/comment")),
    "slots in the configuration": _schema(
        lambda slot: slot.update(dataset="configuration/iteration")
    ),
    "slots outside": _schema(lambda slot: slot.update(dataset="../../../shots")),
    "slots of the wrong dataset type": _schema(lambda slot: slot.update(dataset=7)),
    "a column of another name": _schema(lambda slot: slot.update(column="../x")),
    "an index elsewhere": _schema(lambda slot: slot.update(index="shots")),
    "arrays of objects": _schema(lambda slot: slot.update(dtype="|O")),
    "arrays of fields of objects": _schema(lambda slot: slot.update(dtype='[["x", "|O8"]]')),
    "huge items": _schema(lambda slot: slot.update(dtype="<U999999999999")),
    "large items": _schema(lambda slot: slot.update(dtype="<U500000000")),
    "types to evaluate": _schema(lambda slot: slot.update(dtype="(2**60,)u1")),
    "huge shapes": _schema(lambda slot: slot.update(shape=[2**62, 2**62])),
    "large empty shapes": _schema(lambda slot: slot.update(type="empty", shape=[2**40])),
    "negative shapes": _schema(lambda slot: slot.update(shape=[-1])),
    "shapes of text": _schema(lambda slot: slot.update(shape="ab")),
    "unknown types": _schema(lambda slot: slot.update(type="pickle")),
    "towers of powers": _schema(lambda slot: slot.update(unit="m**9**9**9**9**9")),
    "a unit of 60,000 characters": _schema(lambda slot: slot.update(unit="*".join(["m"] * 30_000))),
    "powers of numbers": _schema(lambda slot: slot.update(unit="9 ** 99999999999")),
    "names that are none": _schema(lambda slot: slot.update(name=None)),
    "lists for names": _schema(lambda slot: slot.update(name=[])),
    "keys too many": _schema(lambda slot: slot.update(__class__="x")),
    "schemas of another kind": _schema_text(b"[1, 2]"),
    "deep schemas": _schema_text(b"[" * 50_000),
}

_NEED_NOT_BE_TOLD = {"times out of range"}
"""What does no harm, and may be read, or raise any error."""
_ABOUT_COPIES = re.compile("schema|configuration|device|JSON|^slots|dataset for a group")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Reader, Path]]:
    store = tmp_path_factory.mktemp("hostile") / "store"
    specimen.create_store(store)
    with Reader(store) as reader:
        yield reader, store


@pytest.mark.parametrize("name", _CHANGES)
def test_a_hostile_file_of_shots_is_refused(
    name: str, reader: tuple[Reader, Path], tmp_path: Path
) -> None:
    def change(file: h5py.File, outside: Path) -> None:
        _CHANGES[name](file, outside)
        del file["copies"]

    outcome = _read_changed(*reader, change, tmp_path)
    assert outcome.kind == (WRONG if name in _NEED_NOT_BE_TOLD else REFUSED), outcome


@pytest.mark.parametrize("name", [name for name in _CHANGES if _ABOUT_COPIES.search(name)])
def test_a_hostile_copy_is_refused(name: str, reader: tuple[Reader, Path], tmp_path: Path) -> None:
    def change(file: h5py.File, outside: Path) -> None:
        _CHANGES[name](file, outside)
        del file["copies"]
        for kept_twice in ("schemas", "configuration"):
            if file.get(kept_twice, getlink=True) is not None:
                file.move(kept_twice, f"copies/{kept_twice}")

    outcome = _read_changed(*reader, change, tmp_path)
    assert outcome.kind == REFUSED, outcome


@pytest.mark.parametrize("name", [name for name in _CHANGES if _ABOUT_COPIES.search(name)])
def test_the_copy_is_read_in_place_of_what_is_hostile(
    name: str, reader: tuple[Reader, Path], tmp_path: Path
) -> None:
    outcome = _read_changed(*reader, _CHANGES[name], tmp_path)
    assert outcome.kind in ("right", REFUSED), outcome


def _read_changed(child: Reader, store: Path, change: Change, directory: Path) -> Outcome:
    path, outside = specimen.shots_file(store), directory / "outside.h5"
    shutil.copy(path, outside)
    whole = path.read_bytes()
    try:
        # A copy of the same file: reading it would go unnoticed, but for the index of its shots.
        with h5py.File(outside, "r+") as file:
            shots = file["shots"][:]
            shots["shot_index"] += 1000
            file["shots"][:] = shots
        with h5py.File(path, "r+", libver=("v110", "v110")) as file:
            change(file, outside)
        before = {entry.name: entry.read_bytes() for entry in directory.iterdir()}
        os.utime(outside, (0, 0))
        outcome = child.read()
        assert "shots" not in outcome.why.split(", ") or "stats" not in outcome.why
        assert child.read(specimen.NEIGHBOUR).kind == "right"
        assert {entry.name: entry.read_bytes() for entry in directory.iterdir()} == before
    finally:
        path.write_bytes(whole)
    assert child.read().kind == "right"
    return outcome


@pytest.mark.parametrize("name", ["shots in two dimensions", "many links", "a row of 8 TiB"])
def test_a_hostile_file_of_shots_is_a_finding(name: str, tmp_path: Path) -> None:
    storage = specimen.create_store(tmp_path / "store")
    with h5py.File(specimen.shots_file(storage.root), "r+", libver=("v110", "v110")) as file:
        _CHANGES[name](file, tmp_path / "outside")
    findings = storage.verify().findings
    assert findings
    assert {(finding.severity, finding.path) for finding in findings} == {("damage", specimen.PATH)}
    assert all(len(finding.problem) < 5000 for finding in findings)
    try:
        storage.recover(specimen.PATH)
    except DamagedStorageError:
        assert storage.verify().findings == findings
    else:
        assert storage.verify().findings == []


def test_nothing_is_written_to_a_dataset_of_another_type(tmp_path: Path) -> None:
    storage = specimen.create_store(tmp_path / "store")
    storage.close()
    file = specimen.shots_file(storage.root, specimen.NEIGHBOUR)
    with h5py.File(file, "r+", libver=("v110", "v110")) as opened:
        _other_type(opened, tmp_path)
    before = file.read_bytes()
    with (
        pytest.raises(ValueError, match="do not fit their dataset"),
        HDF5StorageManager(storage.root).session() as session,
    ):
        specimen.record(session, specimen.NEIGHBOUR, 6)
    assert file.read_bytes() == before
