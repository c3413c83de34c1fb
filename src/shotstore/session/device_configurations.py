"""The device configurations of a session."""

import abc
from collections.abc import Iterator, MutableMapping

from shotstore.model import DeviceConfiguration


class DeviceConfigurationCollection(MutableMapping[str, DeviceConfiguration], abc.ABC):
    """The device configurations that the next sequence is to be launched with, by device name.

    It is ``session.default_device_configurations``. Sequences that were launched keep those of
    their launch. What is read from it is a value: after changing it, it must be stored again.
    """

    @abc.abstractmethod
    def __getitem__(self, name: str) -> DeviceConfiguration:
        """Return the configuration of a device.

        A configuration whose class is not known here is an ``UnknownDeviceConfiguration``.

        Raises:
            KeyError: there is no device of this name.
        """

    @abc.abstractmethod
    def __setitem__(self, name: str, configuration: DeviceConfiguration) -> None:
        """Store the configuration of a device.

        Args:
            name: Any text that is not empty.
            configuration: An instance of a class that the storage's serializer knows.

        Raises:
            TypeError: the serializer does not know the class, or the name is not a text.
            ValueError: the name is empty, holds a NUL character, or is too long for the storage.
        """

    @abc.abstractmethod
    def __delitem__(self, name: str) -> None:
        """Remove a device.

        Raises:
            KeyError: there is no device of this name.
        """

    @abc.abstractmethod
    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the devices, sorted."""

    @abc.abstractmethod
    def __len__(self) -> int:
        """Return the number of devices."""
