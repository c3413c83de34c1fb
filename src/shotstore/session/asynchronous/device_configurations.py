"""The device configurations of a session, awaited."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import TypeVar, overload

from shotstore.model import DeviceConfiguration
from shotstore.session.asynchronous.awaited import Awaits, awaited
from shotstore.session.device_configurations import DeviceConfigurationCollection
from shotstore.session.experiment_session import ExperimentSession

_T = TypeVar("_T")


class AsyncDeviceConfigurationCollection:
    """A :class:`~shotstore.DeviceConfigurationCollection` whose methods are awaited.

    ``await devices["camera"]`` reads one. For the operators that nobody can await there are
    :meth:`set`, :meth:`delete`, :meth:`contains` and :meth:`count`, and ``async for`` gives the
    names.
    """

    def __init__(self, session: Awaits[ExperimentSession]) -> None:
        self._session = session

    async def run_sync(self, function: Callable[[DeviceConfigurationCollection], _T]) -> _T:
        """Call a function with the sync one, in a thread; it keeps nothing of it for later."""
        return await self._session.run_sync(
            lambda session: function(session.default_device_configurations)
        )

    __getitem__ = awaited(DeviceConfigurationCollection.__getitem__)
    set = awaited(DeviceConfigurationCollection.__setitem__)
    delete = awaited(DeviceConfigurationCollection.__delitem__)
    contains = awaited(DeviceConfigurationCollection.__contains__)
    count = awaited(DeviceConfigurationCollection.__len__)

    # Python would call `__getitem__` for these, with numbers, for ever.
    __iter__ = None
    __contains__ = None

    async def __aiter__(self) -> AsyncIterator[str]:
        """Iterate over the names of the devices, sorted."""
        for name in await self.keys():
            yield name

    async def keys(self) -> list[str]:
        """Return the names of the devices, sorted."""
        return await self.run_sync(list)

    async def values(self) -> list[DeviceConfiguration]:
        """Return the configurations of all devices, sorted by their names."""
        return await self.run_sync(lambda devices: list(devices.values()))

    async def items(self) -> list[tuple[str, DeviceConfiguration]]:
        """Return the names and configurations of all devices, sorted by their names."""
        return await self.run_sync(lambda devices: list(devices.items()))

    @overload
    async def get(self, name: str) -> DeviceConfiguration | None: ...

    @overload
    async def get(self, name: str, default: _T) -> DeviceConfiguration | _T: ...

    async def get(self, name: str, default: object = None) -> object:
        """Return the configuration of a device, or the default if there is no such device."""
        return await self.run_sync(lambda devices: devices.get(name, default))

    @overload
    async def pop(self, name: str, /) -> DeviceConfiguration: ...

    @overload
    async def pop(self, name: str, default: _T, /) -> DeviceConfiguration | _T: ...

    async def pop(self, name: str, /, *default: object) -> object:
        """Remove a device and return its configuration, or the default if there is no such device.

        Raises:
            KeyError: there is neither a device of this name nor a default.
        """
        return await self.run_sync(lambda devices: devices.pop(name, *default))

    async def popitem(self) -> tuple[str, DeviceConfiguration]:
        """Remove a device and return its name and configuration.

        Raises:
            KeyError: there is no device.
        """
        return await self.run_sync(lambda devices: devices.popitem())

    async def setdefault(self, name: str, default: DeviceConfiguration) -> DeviceConfiguration:
        """Return the configuration of a device, which is the default if there was none.

        Raises:
            TypeError: the serializer does not know the class, or the name is not a text.
            ValueError: the name is empty, or too long for the storage.
        """
        return await self.run_sync(lambda devices: devices.setdefault(name, default))

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
        await self.run_sync(lambda devices: devices.update(other, **configurations))

    async def clear(self) -> None:
        """Remove all devices."""
        await self.run_sync(lambda devices: devices.clear())
