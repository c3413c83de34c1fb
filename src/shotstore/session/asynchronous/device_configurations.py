"""The device configurations of a session, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar, overload

from shotstore.model import DeviceConfiguration
from shotstore.session.asynchronous.docstrings import takes_docstrings_from
from shotstore.session.device_configurations import DeviceConfigurationCollection

if TYPE_CHECKING:
    from shotstore.session.asynchronous.experiment_session import AsyncExperimentSession

_T = TypeVar("_T")


@takes_docstrings_from(DeviceConfigurationCollection)
class AsyncDeviceConfigurationCollection:
    """A :class:`~shotstore.DeviceConfigurationCollection` whose methods are awaited.

    ``await devices["camera"]`` reads one. For the operators that nobody can await there are
    :meth:`set`, :meth:`delete`, :meth:`contains` and :meth:`count`, and ``async for`` gives the
    names.
    """

    def __init__(self, session: AsyncExperimentSession) -> None:
        self._session = session

    # Python would call `__getitem__` for these, with numbers, for ever.
    __iter__ = None
    __contains__ = None

    async def __getitem__(self, name: str) -> DeviceConfiguration:
        return await self._run(lambda devices: devices[name])

    async def set(self, name: str, configuration: DeviceConfiguration) -> None:
        """Store the configuration of a device.

        Args:
            name: Any text that is not empty.
            configuration: An instance of a class that the storage's serializer knows.

        Raises:
            TypeError: the serializer does not know the class, or the name is not a text.
            ValueError: the name is empty, or too long for the storage.
        """
        return await self._run(lambda devices: devices.__setitem__(name, configuration))

    async def delete(self, name: str) -> None:
        """Remove a device.

        Raises:
            KeyError: there is no device of this name.
        """
        return await self._run(lambda devices: devices.__delitem__(name))

    async def contains(self, name: str) -> bool:
        """Return whether there is a device of this name."""
        return await self._run(lambda devices: name in devices)

    async def count(self) -> int:
        """Return the number of devices."""
        return await self._run(len)

    async def __aiter__(self) -> AsyncIterator[str]:
        """Iterate over the names of the devices, sorted."""
        for name in await self.keys():
            yield name

    async def keys(self) -> list[str]:
        """Return the names of the devices, sorted."""
        return await self._run(list)

    async def values(self) -> list[DeviceConfiguration]:
        """Return the configurations of all devices, sorted by their names."""
        return await self._run(lambda devices: list(devices.values()))

    async def items(self) -> list[tuple[str, DeviceConfiguration]]:
        """Return the names and configurations of all devices, sorted by their names."""
        return await self._run(lambda devices: list(devices.items()))

    @overload
    async def get(self, name: str) -> DeviceConfiguration | None: ...

    @overload
    async def get(self, name: str, default: _T) -> DeviceConfiguration | _T: ...

    async def get(self, name: str, default: object = None) -> object:
        """Return the configuration of a device, or the default if there is no such device."""
        return await self._run(lambda devices: devices.get(name, default))

    @overload
    async def pop(self, name: str, /) -> DeviceConfiguration: ...

    @overload
    async def pop(self, name: str, default: _T, /) -> DeviceConfiguration | _T: ...

    async def pop(self, name: str, /, *default: object) -> object:
        """Remove a device and return its configuration, or the default if there is no such device.

        Raises:
            KeyError: there is neither a device of this name nor a default.
        """
        return await self._run(lambda devices: devices.pop(name, *default))

    async def popitem(self) -> tuple[str, DeviceConfiguration]:
        """Remove a device and return its name and configuration.

        Raises:
            KeyError: there is no device.
        """
        return await self._run(lambda devices: devices.popitem())

    async def setdefault(self, name: str, default: DeviceConfiguration) -> DeviceConfiguration:
        """Return the configuration of a device, which is the default if there was none.

        Raises:
            TypeError: the serializer does not know the class, or the name is not a text.
            ValueError: the name is empty, or too long for the storage.
        """
        return await self._run(lambda devices: devices.setdefault(name, default))

    async def update(
        self,
        other: Mapping[str, DeviceConfiguration] | Iterable[tuple[str, DeviceConfiguration]] = (),
        /,
        **configurations: DeviceConfiguration,
    ) -> None:
        """Store the configurations of some devices.

        Raises:
            TypeError: the serializer does not know a class, or a name is not a text.
            ValueError: a name is empty, or too long for the storage.
        """
        return await self._run(lambda devices: devices.update(other, **configurations))

    async def clear(self) -> None:
        """Remove all devices."""
        return await self._run(lambda devices: devices.clear())

    async def _run(self, function: Callable[[DeviceConfigurationCollection], _T]) -> _T:
        return await self._session.run_sync(
            lambda session: function(session.default_device_configurations)
        )
