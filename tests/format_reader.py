"""A second reader of shotstore's files, written from docs/file-format.md alone.

It uses h5py as the HDF5 library that any language has, and nothing of shotstore. It is no part of
the product: if it cannot read something, the page is wrong or incomplete.
"""

import base64
import hashlib
import io
import itertools
import json
import re
import struct
import unicodedata
import zlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import h5py
import numpy as np

Tree = dict[tuple[str, ...], Path]


def find_sequences(root: Path) -> Tree:
    """The directory of each sequence by the names of its path."""
    is_store = (root / "shotstore.json").is_file()
    return dict(_walk(root / "sequences" if is_store else root, ()))


def _walk(directory: Path, names: tuple[str, ...]) -> list[tuple[tuple[str, ...], Path]]:
    if (directory / "sequence.json").is_file():
        return [(names, directory)]
    found = []
    for entry in sorted(directory.iterdir()):
        name = decode_name(entry.name)
        if entry.is_dir() and not entry.is_symlink() and name is not None:
            found += _walk(entry, (*names, name))
    return found


def decode_name(directory: str) -> str | None:
    """The path name, or None if the directory is not shotstore's."""
    if directory.startswith("."):
        return None
    composed = unicodedata.normalize("NFC", directory)
    if directory not in (composed, unicodedata.normalize("NFD", composed)):
        return None
    directory = composed
    try:
        name = unquote(directory, errors="strict")
    except UnicodeDecodeError:
        return None
    return name if name and encode_name(name) == directory else None


def encode_name(name: str) -> str:
    """The rules 1 to 4 of "Directory names"."""

    def percent(text: str) -> str:
        return "".join(f"%{byte:02X}" for byte in text.encode())

    encoded = "".join(
        percent(character)
        if character in '%/\\:*?"<>|' or unicodedata.category(character) == "Cc"
        else character
        for character in name
    )
    stem = encoded.rstrip(". ")
    encoded = stem + percent(encoded[len(stem) :])
    reserved = re.match(
        r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])([. ]|$)", encoded, re.I
    )
    ours = encoded.lower() in ("sequence.json", "folder.json", "shots.h5", "results.h5")
    if encoded.startswith(".") or ours or reserved:
        encoded = percent(encoded[0]) + encoded[1:]
    if any(unicodedata.normalize("NFC", text) != text for text in (name, encoded)):
        encoded = "".join(c if c.isascii() else percent(c) for c in encoded)
    return encoded


def read_document(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    document: dict[str, Any] = json.loads(content)
    assert document["version"] == 1
    assert list(document)[:2] == ["format", "version"]
    assert list(document)[-1] == "checksum"
    body = content[: content.rindex(b'\n  "checksum": ')]
    assert document["checksum"] == "sha256:" + hashlib.sha256(body).hexdigest()
    return document


def read_shots(file: Path) -> dict[int, dict[str, Any]]:
    """All shots by index: `parameters` (value and unit), `data`, `start_time`, `end_time`."""
    with h5py.File(file) as hdf5:
        assert hdf5.attrs["format"] == b"shotstore shots"
        assert hdf5.attrs["version"] == 1
        schemas = _read_schemas(hdf5)
        shots = {}
        for row, shot in enumerate(hdf5["shots"][:]):
            schema = schemas[shot["schema"]]
            shots[int(shot["shot_index"])] = {
                "start_time": int(shot["start_time"]),
                "end_time": int(shot["end_time"]),
                "parameters": {
                    slot["name"]: (_read_value(hdf5, slot, row), slot.get("unit"))
                    for slot in schema["parameters"]
                },
                "data": {slot["name"]: _read_value(hdf5, slot, row) for slot in schema["data"]},
            }
        return shots


def read_what_can_be_read(file: Path) -> dict[int, dict[str, Any]]:
    """As `read_shots`, without the values that HDF5 refuses to read."""
    try:
        hdf5 = h5py.File(file)
    except OSError:
        return {}
    shots: dict[int, dict[str, Any]] = {}
    with hdf5:
        for row in range(_try(lambda: len(hdf5["shots"])) or 0):
            read = _try(partial(_row_and_schema, hdf5, row))
            if read is None or read[1] is None:
                continue
            shot, schema = read
            found = shots[int(shot["shot_index"])] = {
                "start_time": int(shot["start_time"]),
                "end_time": int(shot["end_time"]),
                "parameters": {},
                "data": {},
            }
            for section in ("parameters", "data"):
                for slot in schema[section]:
                    try:
                        value = _read_value(hdf5, slot, row)
                    except Exception:
                        continue
                    found[section][slot["name"]] = (value, slot.get("unit"))
    return shots


def _try(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Exception:
        return None


def _row_and_schema(hdf5: h5py.File, row: int) -> tuple[Any, Any]:
    shot = hdf5["shots"][row]
    return shot, _schema(hdf5, shot["schema"])


def _schema(hdf5: h5py.File, number: int) -> Any:
    for group in ("", "copies/"):
        schema = _try(partial(_schema_in, hdf5, group, number))
        if schema is not None:
            return schema
    return None


def _schema_in(hdf5: h5py.File, group: str, number: int) -> Any:
    names = (f"{group}schemas", *(f"{group}schemas#{n}" for n in range(2, 100)))
    for name in itertools.takewhile(lambda name: name in hdf5, names):
        if number < len(hdf5[name]) and (text := hdf5[name][number]):
            return json.loads(text)
    return None


def read_configuration(file: Path) -> dict[str, Any]:
    """The launch configuration; of devices their type and content."""
    with h5py.File(file) as hdf5:
        try:
            return _read_configuration(hdf5["configuration"])
        except (KeyError, OSError, RuntimeError):
            return _read_configuration(hdf5["copies/configuration"])


def _read_configuration(group: h5py.Group) -> dict[str, Any]:
    names = ("iteration", "time_lanes", "global_parameters")
    configuration = {name: json.loads(group[name][0]) for name in names}
    configuration["device_configurations"] = {
        unquote(name): (content.attrs["type"].decode(), json.loads(content[0]))
        for name, content in group["device_configurations"].items()
    }
    return configuration


def _read_schemas(hdf5: h5py.File) -> dict[int, Any]:
    try:
        return _read_schemas_in(hdf5)
    except (KeyError, OSError, RuntimeError):
        return _read_schemas_in(hdf5["copies"])


def _read_schemas_in(group: h5py.Group) -> dict[int, Any]:
    schemas: dict[int, Any] = {}
    for name in group:
        if re.fullmatch(r"schemas(#\d+)?", name):
            schemas |= {n: json.loads(text) for n, text in enumerate(group[name][:]) if text}
    return schemas


def _read_value(hdf5: h5py.File, slot: dict[str, Any], row: int) -> Any:
    match slot["type"]:
        case "bool":
            return bool(hdf5[slot["dataset"]][row][slot["column"]])
        case "int":
            return int(hdf5[slot["dataset"]][row][slot["column"]])
        case "float":
            return float(hdf5[slot["dataset"]][row][slot["column"]])
        case "big int":
            return int(hdf5[slot["dataset"]][row][slot["column"]], 16)
        case "none":
            return None
        case "text":
            return _text(hdf5, slot, row).decode()
        case "json":
            return _structured(json.loads(_text(hdf5, slot, row)))
        case "empty":
            return np.zeros(slot["shape"], _dtype(slot["dtype"]))
        case "array":
            return _array(hdf5[slot["dataset"]][row : row + 1], slot["dtype"])[0]
        case "complex":
            return complex(hdf5[slot["dataset"]][row])
        case "ragged":
            span = hdf5[slot["index"]][row]
            start, stop = int(span["start"]), int(span["start"] + span["length"])
            return _array(hdf5[slot["dataset"]][start:stop], slot["dtype"])
    raise AssertionError(f"unknown type {slot['type']}")


def _text(hdf5: h5py.File, slot: dict[str, Any], row: int) -> bytes:
    stored = hdf5[slot["dataset"]][row]
    return bytes(stored[slot["column"]] if "column" in slot else stored)


def _array(stored: Any, description: Any) -> Any:
    dtype = _dtype(description)
    if dtype.kind == "U":
        return np.char.decode(stored, "utf-8").astype(dtype)
    if stored.dtype == dtype:
        return stored
    if dtype.kind in "mM":
        return stored.view(dtype)
    assert stored.dtype == np.uint8
    return np.ascontiguousarray(stored).view(dtype)[..., 0]


def _dtype(description: str) -> np.dtype[Any]:
    if not description.startswith("["):
        return np.dtype(description)

    def with_tuples(fields: Any) -> Any:
        if isinstance(fields, str):
            return fields
        return [
            (tuple(name) if isinstance(name, list) else name, with_tuples(kind), *map(tuple, shape))
            for name, kind, *shape in fields
        ]

    return np.lib.format.descr_to_dtype(with_tuples(json.loads(description)))


def _structured(value: Any) -> Any:
    if isinstance(value, list):
        return [_structured(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"float": str(text)} if len(value) == 1:
            return float(text)
        case {"int": str(text)} if len(value) == 1:
            return int(text, 16)
        case {"array": str(text)} if len(value) == 1:
            return np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)
        case {"tuple": list(items)} if len(value) == 1:
            return tuple(_structured(item) for item in items)
        case {"bytes": str(text)} if len(value) == 1:
            return base64.b64decode(text)
        case {"complex": [real, imaginary]} if len(value) == 1:
            return complex(_structured(real), _structured(imaginary))
        case {"time": str(text)} if len(value) == 1:
            return datetime.fromisoformat(text)
        case {"dict": dict(content)} if len(value) == 1:
            return {key: _structured(item) for key, item in content.items()}
    return {key: _structured(item) for key, item in value.items()}


def read_held(root: Path, parse: Callable[[bytes], Any]) -> list[Any]:
    """What was kept back; ``parse`` reads the content of a record, as the page shows it."""
    found = []
    for file in sorted((root / ".shotstore" / "held").glob("*")):
        if not file.name.endswith(".new"):
            content = file.read_bytes()
            assert content[-32:] == hashlib.sha256(content[:-32]).digest()
            found.append(parse(content[:-32]))
    return found


def read_counter(root: Path) -> tuple[int, bool]:
    """How many commits there were, and whether one is unfinished."""
    content = (root / ".shotstore" / "commits").read_bytes()
    commits, _, _, is_unfinished, _, checksum = struct.unpack("<Q16sQQ16sI", content)
    assert checksum == zlib.crc32(content[:-4])
    return commits, bool(is_unfinished)


def lay_over(root: Path, records: list[tuple[Any, list[bytes]]]) -> None:
    """Do what records say, to files that are not later than the log."""
    known: dict[str, set[str]] = {}
    patches: dict[str, list[tuple[dict[str, Any], list[bytes]]]] = {}
    for says, contents in records:
        pieces = iter(contents)
        is_departed = (root / f".shotstore/tx/{says['transaction']}-departed").exists()
        has_begun = any((root / each["destination"]).exists() for each in says["departures"])
        for patch in says["patches"]:
            pages = [next(pieces) for _ in patch["offsets"]]
            if not (is_departed or has_begun):
                patches.setdefault(patch["path"], []).append((patch, pages))
        if says["departures"] or says["replacements"]:  # it stands alone
            _patch(root, patches)
        if not (is_departed or has_begun):
            _rename(root, says["replacements"])
        if not is_departed:
            _rename(root, says["departures"])
        _rename(root, says["arrivals"])
        for document in says["documents"]:
            path, content = root / document["path"], next(pieces)
            mine = known.setdefault(document["path"], set())
            mine |= {*document["replaces"], hashlib.sha256(content).hexdigest()}
            found = path.read_bytes() if path.exists() else None
            is_later = found is not None and hashlib.sha256(found).hexdigest() not in mine
            if not (is_later and _is_object(found)):
                path.write_bytes(content)
    _patch(root, patches)


def _patch(root: Path, patches: dict[str, list[tuple[dict[str, Any], list[bytes]]]]) -> None:
    for path, of_it in patches.items():
        lengths = [patch["length"] for patch, _ in of_it]
        with (root / path).open("r+b") as file:
            length = file.seek(0, io.SEEK_END)
            for number, (patch, pages) in enumerate(of_it):
                later = lengths[number + 1 :]
                if number == 0 or patch["needed"] > patch["committed"]:
                    assert length >= min([patch["needed"], *later])
                for offset, page in zip(patch["offsets"], pages, strict=True):
                    file.seek(offset)
                    file.write(page[: max(0, min([offset + len(page), *later]) - offset)])
            file.truncate(lengths[-1])
    patches.clear()


def _rename(root: Path, renames: list[dict[str, Any]]) -> None:
    for rename in renames:
        source, destination = root / rename["source"], root / rename["destination"]
        if rename["is_new"] and destination.exists():
            continue
        if source.exists():
            source.replace(destination)
        elif rename["is_new"]:
            destination.mkdir()


def _is_object(content: bytes | None) -> bool:
    try:
        return isinstance(json.loads(content or b""), dict)
    except ValueError:
        return False
