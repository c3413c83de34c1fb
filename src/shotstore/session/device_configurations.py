"""The device configurations of a session."""

from collections.abc import Iterator, MutableMapping

from shotstore.model import JSON, DeviceConfiguration, Serializer
from shotstore.records import configurations
from shotstore.records.content import Setting
from shotstore.records.stored_records import AnyRecords


class DeviceConfigurationCollection(MutableMapping[str, DeviceConfiguration]):
    """The device configurations that the next sequence is to be launched with, by device name.

    It is ``session.default_device_configurations``. Sequences that were launched keep those of
    their launch. What is read from it is a value: after changing it, it must be stored again.
    """

    def __init__(self, records: AnyRecords, serializer: Serializer) -> None:
        self._records = records
        self._serializer = serializer

    def __getitem__(self, name: str) -> DeviceConfiguration:
        """Return the configuration of a device.

        A configuration whose class is not known here is an ``UnknownDeviceConfiguration``.

        Raises:
            KeyError: there is no device of this name.
        """
        try:
            setting = _setting(name)
        except (TypeError, ValueError):
            raise KeyError(name) from None  # what cannot be stored is not there
        records = self._records
        found = records.transaction.read(lambda: records.read_setting(setting))
        if found is None:
            raise KeyError(name)
        return configurations.load_device(self._serializer, name, found["type"], found["content"])

    def __setitem__(self, name: str, configuration: DeviceConfiguration) -> None:
        """Store the configuration of a device.

        Args:
            name: Any text that is not empty.
            configuration: An instance of a class that the storage's serializer knows.

        Raises:
            TypeError: the serializer does not know the class, or the name is not a text.
            ValueError: the name is empty, holds a NUL character, or is too long for the storage.
        """
        setting = _setting(name)
        tag, content = configurations.dump_device(self._serializer, configuration)
        self._write(setting, {"type": tag, "content": content})

    def __delitem__(self, name: str) -> None:
        """Remove a device.

        Raises:
            KeyError: there is no device of this name.
        """
        if name not in self:
            raise KeyError(name)
        self._write(_setting(name), None)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the devices, sorted."""
        return iter(self._names())

    def __len__(self) -> int:
        """Return the number of devices."""
        return len(self._names())

    def __contains__(self, name: object) -> bool:
        """Return whether there is a device of this name."""
        return name in self._names()

    def _names(self) -> list[str]:
        # Sorted here: the order of texts on a server is a matter of its language.
        return sorted(self._records.transaction.read(self._records.device_names))

    def _write(self, setting: Setting, content: dict[str, JSON] | None) -> None:
        records = self._records
        records.transaction.write(lambda: records.write_setting(setting, content))


def _setting(name: str) -> Setting:
    return Setting("device configuration", configurations.check_device_name(name))
