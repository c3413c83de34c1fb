"""The device configurations of a session in memory."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shotstore.model import DeviceConfiguration
from shotstore.model.json_form import strict_json
from shotstore.session import DeviceConfigurationCollection, rules

if TYPE_CHECKING:
    from shotstore.testing.memory.session import InMemoryExperimentSession


class InMemoryDeviceConfigurations(DeviceConfigurationCollection):
    """See `DeviceConfigurationCollection`."""

    def __init__(self, session: "InMemoryExperimentSession") -> None:
        self._session = session

    def __getitem__(self, name: str) -> DeviceConfiguration:
        tag, content = self._session.reading().device_configurations[name]
        return self._session.serializer.load_device_configuration(tag, content)

    def __setitem__(self, name: str, configuration: DeviceConfiguration) -> None:
        plain = rules.check_device_name(name)
        tag, content = self._session.serializer.dump_device_configuration(configuration)
        stored = tag, strict_json(content)
        self._session.writing().device_configurations[plain] = stored

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        del self._session.writing().device_configurations[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._session.reading().device_configurations))

    def __len__(self) -> int:
        return len(self._session.reading().device_configurations)
