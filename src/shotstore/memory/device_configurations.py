"""The device configurations of a session in memory."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shotstore.model import DeviceConfiguration
from shotstore.records import configurations
from shotstore.session import DeviceConfigurationCollection

if TYPE_CHECKING:
    from shotstore.memory.session import InMemoryExperimentSession


class InMemoryDeviceConfigurations(DeviceConfigurationCollection):
    """See `DeviceConfigurationCollection`."""

    def __init__(self, session: "InMemoryExperimentSession") -> None:
        self._session = session

    def __getitem__(self, name: str) -> DeviceConfiguration:
        tag, content = self._session.reading().device_configurations[name]
        return configurations.load_device(self._session.serializer, name, tag, content)

    def __setitem__(self, name: str, configuration: DeviceConfiguration) -> None:
        plain = configurations.check_device_name(name)
        stored = configurations.dump_device(self._session.serializer, configuration)
        self._session.writing().device_configurations[plain] = stored

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        del self._session.writing().device_configurations[name]

    def __contains__(self, name: object) -> bool:
        return name in [*self]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._session.reading().device_configurations))

    def __len__(self) -> int:
        return len(self._session.reading().device_configurations)
