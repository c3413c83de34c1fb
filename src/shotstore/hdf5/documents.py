"""The JSON documents of a store: small, readable, greppable.

Each is UTF-8, indented, its keys in a fixed order, and ends with a checksum: the SHA-256 of all
bytes of the file before the line that holds the key ``checksum``. A document that was edited by
hand is read all the same; `is_untouched` tells.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from shotstore.errors import DamagedStorageError, StorageError
from shotstore.hdf5 import on_disk
from shotstore.model import JSON
from shotstore.records.content import InterruptionRecord, SequenceRecord
from shotstore.records.measured import check_measured
from shotstore.records.times import dump_time, load_time
from shotstore.state import State
from shotstore.version import NEWER_VERSION

VERSION = 1
"""The format version that this library reads and writes."""

_MOST_BYTES = on_disk.LONGEST_DOCUMENT - 1000  # there is more in the file

_CHECKSUM_LINE = b'\n  "checksum": "'

Format = Literal[
    "store",
    "folder",
    "sequence",
    "global parameters",
    "units",
    "device configuration",
    "trash entry",
    "trash clock",
    "active sequences",
]


@frozen(kw_only=True)
class SequenceDocument(SequenceRecord):
    """``sequence.json``: the record of a sequence, as a document."""

    id: str
    number_of_retakes: int = 0
    """How many more rows than shots ``shots.h5`` has, once it has ended: shots that were recorded
    again have several."""
    others: Mapping[str, JSON] = field(factory=dict)
    """What a later version of the library has added: kept, and written back."""

    @property
    def number_of_rows(self) -> int | None:
        """How many rows ``shots.h5`` has, once it has ended."""
        return (
            None if self.number_of_shots is None else self.number_of_shots + self.number_of_retakes
        )


def dump_sequence(document: SequenceDocument) -> bytes:
    """The content of ``sequence.json``."""
    retakes = document.number_of_retakes
    return dump(
        "sequence",
        {
            "id": document.id,
            "created": dump_time(document.created),
            "state": document.state.value,
            "start_time": dump_time(document.start_time),
            "stop_time": dump_time(document.stop_time),
            "expected_number_of_shots": document.expected_number_of_shots,
            "number_of_shots": document.number_of_shots,
            **({"number_of_retakes": retakes} if retakes else {}),
            "tags": [*sorted(document.tags)],
            "note": document.note,
            "iteration": document.iteration,
            "time_lanes": document.time_lanes,
            "exception": document.exception,
            "interruptions": [each.to_json() for each in document.interruptions],
            **({} if document.measured is None else {"measured": dict(document.measured)}),
            **({} if document.recorder is None else {"recorder": document.recorder}),
            **document.others,
        },
    )


def load_sequence(content: bytes, path: Path | str) -> SequenceDocument:
    """The inverse of `dump_sequence`; ``path`` is for the message of the error.

    Raises:
        DamagedStorageError: the content is not such a document.
    """
    keys = load("sequence", content, path)
    try:
        return SequenceDocument(
            id=_typed(keys.pop("id"), str),
            created=load_time(keys.pop("created")),
            state=State(keys.pop("state")),
            start_time=_load_optional_time(keys.pop("start_time")),
            stop_time=_load_optional_time(keys.pop("stop_time")),
            expected_number_of_shots=_load_count(keys.pop("expected_number_of_shots")),
            number_of_shots=_load_count(keys.pop("number_of_shots")),
            number_of_retakes=_load_count(keys.pop("number_of_retakes", 0)) or 0,
            iteration=keys.pop("iteration"),
            time_lanes=keys.pop("time_lanes"),
            exception=keys.pop("exception"),
            # Without these before there were tags.
            tags=_load_texts(keys.pop("tags", [])),
            note=_typed(keys.pop("note", ""), str),
            # Without these before one could be resumed.
            interruptions=_load_interruptions(keys.pop("interruptions", [])),
            measured=check_measured(keys.pop("measured", None)),
            recorder=_load_optional_text(keys.pop("recorder", None)),
            others=keys,
        )
    except (LookupError, ValueError, TypeError) as error:
        raise damaged_error(path, f"it lacks or garbles a key ({error!r})") from error


_LONGEST_RECALLED = 64 * 1024  # bytes
_load_short = lru_cache(maxsize=64)(load_sequence)


def recall_sequence(content: bytes, path: Path | str) -> SequenceDocument:
    """What `load_sequence` makes of a document, which is loaded once as long as it is asked for
    again and again, and short. Nobody may change what is in it."""
    load = _load_short if len(content) <= _LONGEST_RECALLED else load_sequence
    return load(content, path)


def dump_folder(created: datetime, note: str) -> bytes:
    """The content of ``folder.json``."""
    keys: dict[str, JSON] = {"created": dump_time(created)}
    return dump("folder", keys | ({"note": note} if note else {}))


def load_folder(content: bytes, path: Path) -> tuple[datetime, str]:
    """The creation date of a folder, and the note on it.

    Raises:
        DamagedStorageError: the content is not such a document.
    """
    keys = load("folder", content, path)
    try:
        return load_time(keys["created"]), _typed(keys.get("note", ""), str)
    except (LookupError, ValueError, TypeError) as error:
        raise damaged_error(path, f"it lacks or garbles a key ({error!r})") from error


def dump(what: Format, keys: Mapping[str, JSON]) -> bytes:
    """A document of this format, with its checksum.

    Raises:
        ValueError: it would be longer than a document may be.
    """
    text = json.dumps(
        {"format": f"shotstore {what}", "version": VERSION, **keys},
        ensure_ascii=False,
        allow_nan=False,
        indent=2,
    )
    body = text.removesuffix("\n}").encode() + b","
    if len(body) > _MOST_BYTES:
        raise ValueError(
            f"What is to be stored in {what}.json has {len(body)} bytes as JSON, and may have "
            f"{_MOST_BYTES}: store large arrays as data of shots."
        )
    return body + _CHECKSUM_LINE + _checksum(body).encode() + b'"\n}\n'


def load(what: Format, content: bytes, path: Path | str) -> dict[str, Any]:
    """The keys of a document of this format, without format, version and checksum.

    Raises:
        DamagedStorageError: the content is not a document of this format.
        StorageError: it is of a later version.
    """
    try:
        keys = _DECODER.decode(content.decode())
        if b"\\ud" in content.lower():
            json.dumps(keys, ensure_ascii=False).encode()  # half of a surrogate pair
    except (ValueError, RecursionError) as error:
        raise damaged_error(path, f"it is not JSON ({error})") from error
    if not isinstance(keys, dict) or keys.pop("format", None) != f"shotstore {what}":
        raise damaged_error(path, f'it does not say "format": "shotstore {what}"')
    version = keys.pop("version", None)
    if type(version) is not int or version < 1:
        raise damaged_error(path, f"its version is {version!r}")
    if version > VERSION:
        raise StorageError(
            f"{Path(path)} has format version {version}, written by a newer shotstore; this one "
            f"reads up to {VERSION}: {NEWER_VERSION}."
        )
    keys.pop("checksum", None)
    return keys


def is_untouched(content: bytes) -> bool:
    """Whether a document is byte for byte as shotstore wrote it."""
    body, separator, checksum = content.rpartition(_CHECKSUM_LINE)
    return bool(separator) and checksum == f'{_checksum(body)}"\n}}\n'.encode()


def _checksum(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def damaged_error(path: Path | str, why: str) -> DamagedStorageError:
    """A document, or a shots file, that cannot be read; ``why`` goes on after "is damaged: "."""
    path = Path(path)
    remedy = "Mend it in a text editor, or restore" if path.suffix == ".json" else "Restore"
    error = DamagedStorageError(f"{path} is damaged: {why.rstrip('.')}. {remedy} it from a backup.")
    error.why = why
    return error


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_parse_float)
"""To make one takes as long as to use it."""


def _load_optional_time(text: object) -> datetime | None:
    return None if text is None else load_time(text)


def _load_count(value: object) -> int | None:
    if value is not None and not (type(value) is int and 0 <= value < 2**63):
        raise ValueError(f"{value!r} is not a number of shots")
    return value


def _load_texts(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return frozenset(_typed(text, str) for text in value)


def _load_interruptions(value: object) -> tuple[InterruptionRecord, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return tuple(map(InterruptionRecord.from_json, value))


def _load_optional_text(value: object) -> str | None:
    return None if value is None else _typed(value, str)


def _typed(value: object, kind: type[str]) -> str:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not a {kind.__name__}")
    return value
