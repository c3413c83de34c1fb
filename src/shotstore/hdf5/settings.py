"""The documents of a store outside of the tree: what is to be launched next, and the units."""

from collections.abc import Collection, Mapping
from typing import Any

from shotstore.errors import InvalidPathFormatError
from shotstore.hdf5 import documents, on_disk
from shotstore.hdf5.names import decomposed, document_name, path_name
from shotstore.hdf5.store import DEVICES, GLOBAL_PARAMETERS
from shotstore.hdf5.transaction import Transaction
from shotstore.hdf5.unit_documents import UNITS, load_units
from shotstore.model import JSON
from shotstore.records.content import Setting

_KEYS = {
    "global parameters": ("parameters",),
    "units": ("definitions",),
    "device configuration": ("type", "content"),
}


def read(transaction: Transaction, setting: Setting) -> Mapping[str, Any] | None:
    """A setting, or None if there is none.

    Raises:
        DamagedStorageError: its document is damaged.
    """
    if setting.kind == "units":
        return _read_units(transaction)
    try:
        path = _place(transaction, setting)
    except InvalidPathFormatError:
        return None  # what cannot be stored is not there
    content = transaction.other_documents.read(path)
    if content is None:
        return None
    file = transaction.store.root / path
    keys = documents.load(setting.kind, content, file)
    for key in _KEYS[setting.kind]:
        if key not in keys:
            raise documents.damaged_error(file, f"it lacks the key {key!r}")
    if setting.kind == "device configuration" and not isinstance(keys["type"], str):
        raise documents.damaged_error(file, f"its type is {keys['type']!r}")
    return {key: keys[key] for key in _KEYS[setting.kind]}


def write(transaction: Transaction, setting: Setting, content: Mapping[str, JSON] | None) -> None:
    """Replace a setting, or remove it if the content is None.

    Raises:
        InvalidPathFormatError: the file of a device would have a name of more than 255 bytes.
        ValueError: the document would be too long.
    """
    named: dict[str, JSON] = {"name": setting.name} if setting.name else {}
    path = _place(transaction, setting)
    document = None if content is None else documents.dump(setting.kind, {**named, **content})
    transaction.other_documents.replace(path, document)


def device_names(transaction: Transaction) -> Collection[str]:
    """The names of the devices, as those of their files tell them."""
    files = transaction.other_documents.list(DEVICES)
    names = [path_name(file.removesuffix(".json")) for file in files if file.endswith(".json")]
    return [name for name in names if name is not None]


def _place(transaction: Transaction, setting: Setting) -> str:
    """The file of a setting, relative to the root of the store."""
    if setting.kind == "global parameters":
        return GLOBAL_PARAMETERS
    if setting.kind == "units":
        return UNITS
    own = document_name(setting.name)
    if not own.isascii():
        files = transaction.other_documents.list(DEVICES)
        if own not in files and decomposed(own) in files:
            own = decomposed(own)  # as macOS may have written it
    return f"{DEVICES}/{own}"


def _read_units(transaction: Transaction) -> Mapping[str, Any] | None:
    file = transaction.store.units.file
    if transaction.store.is_archive:  # that of the store which it is a folder of
        try:
            content = on_disk.read_file(str(file))
        except OSError as error:
            raise on_disk.unreadable_error(file, error) from error
    else:
        content = transaction.other_documents.read(UNITS)
    return None if content is None else {"definitions": load_units(content, file)}
