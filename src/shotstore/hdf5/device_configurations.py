"""The device configurations of a session on a store of files."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shotstore.hdf5 import documents
from shotstore.hdf5.names import decomposed, document_name, path_name
from shotstore.hdf5.store import DEVICES
from shotstore.model import DeviceConfiguration
from shotstore.records import configurations
from shotstore.session import DeviceConfigurationCollection

if TYPE_CHECKING:
    from shotstore.hdf5.session import HDF5ExperimentSession


class HDF5DeviceConfigurationCollection(DeviceConfigurationCollection):
    def __init__(self, session: "HDF5ExperimentSession") -> None:
        self._session = session

    def __getitem__(self, name: str) -> DeviceConfiguration:
        try:
            path = self._place(name)
        except (TypeError, ValueError):
            raise KeyError(name) from None  # what cannot be stored is not there
        transaction = self._session.transaction
        content = transaction.read(lambda: transaction.read_document(path))
        if content is None:
            raise KeyError(name)
        location = transaction.store.root / path
        keys = documents.load("device configuration", content, location)
        try:
            tag, values = keys["type"], keys["content"]
        except LookupError as error:
            raise documents.damaged(location, f"it lacks the key {error}") from error
        if not isinstance(tag, str):
            raise documents.damaged(location, f"its type is {tag!r}")
        return configurations.load_device(self._session.serializer, name, tag, values)

    def __setitem__(self, name: str, configuration: DeviceConfiguration) -> None:
        path = self._place(name)
        tag, values = configurations.dump_device(self._session.serializer, configuration)
        keys = {"name": name, "type": tag, "content": values}
        content = documents.dump("device configuration", keys)
        transaction = self._session.transaction
        transaction.write(lambda: transaction.replace_document(path, content))

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        path = self._place(name)
        transaction = self._session.transaction
        transaction.write(lambda: transaction.replace_document(path, None))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def _place(self, name: str) -> str:
        """The file of a configuration, relative to the root of the store."""
        own = document_name(check_device_name(name))
        if not own.isascii():
            transaction = self._session.transaction
            files = transaction.read(lambda: transaction.list_documents(DEVICES))
            if own not in files and decomposed(own) in files:
                own = decomposed(own)  # as macOS may have written it
        return f"{DEVICES}/{own}"

    def _names(self) -> list[str]:
        transaction = self._session.transaction
        files = transaction.read(lambda: transaction.list_documents(DEVICES))
        names = (path_name(file.removesuffix(".json")) for file in files if file.endswith(".json"))
        return sorted(name for name in names if name is not None)


def check_device_name(name: str) -> str:
    """Return the name; see `configurations.check_device_name`.

    Raises:
        InvalidPathFormatError: the file of its document would be longer than 255 bytes.
    """
    plain = configurations.check_device_name(name)
    document_name(plain)
    return plain
