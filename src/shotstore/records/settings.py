"""What a storage keeps for the next launch, and its units."""

from collections.abc import Mapping
from typing import Any

from shotstore.model import JSON, ParameterNamespace, Serializer
from shotstore.model.json_form import strict_json
from shotstore.records import configurations
from shotstore.records.content import Setting
from shotstore.records.stored_records import AnyRecords

_GLOBAL_PARAMETERS = Setting("global parameters")
_UNITS = Setting("units")


def get_global_parameters(records: AnyRecords, serializer: Serializer) -> ParameterNamespace:
    """Return the parameters that the next sequence is to be launched with."""
    content = _read(records, _GLOBAL_PARAMETERS)
    if content is None:
        return ParameterNamespace.empty()
    return configurations.load_global_parameters(serializer, content["parameters"])


def set_global_parameters(
    records: AnyRecords, serializer: Serializer, parameters: ParameterNamespace
) -> None:
    """Replace them.

    Raises:
        TypeError: they are not a namespace.
    """
    content = {"parameters": strict_json(serializer.dump_global_parameters(parameters))}
    records.transaction.write(lambda: records.write_setting(_GLOBAL_PARAMETERS, content))


def get_unit_definitions(records: AnyRecords) -> tuple[str, ...]:
    """Return the units that the storage defines, in the order in which they were defined."""
    content = _read(records, _UNITS)
    return () if content is None else tuple(content["definitions"])


def set_unit_definitions(records: AnyRecords, definitions: tuple[str, ...]) -> None:
    """Replace them."""
    content: dict[str, JSON] = {"definitions": [*definitions]}
    records.transaction.write(lambda: records.write_setting(_UNITS, content))


def read_settings(records: AnyRecords) -> dict[Setting, Mapping[str, Any]]:
    """Return what the next sequence is to be launched with, as it is stored."""

    def read() -> dict[Setting, Mapping[str, Any]]:
        devices = [Setting("device configuration", name) for name in sorted(records.device_names())]
        found = {each: records.read_setting(each) for each in (_GLOBAL_PARAMETERS, *devices)}
        return {setting: content for setting, content in found.items() if content is not None}

    return records.transaction.read(read)


def add_settings(records: AnyRecords, settings: Mapping[Setting, Mapping[str, Any]]) -> None:
    """Store settings, but for those that there are already; empty global parameters are none."""
    there = {
        setting
        for setting, content in read_settings(records).items()
        if content.get("parameters", True)
    }
    new = {
        setting: content
        for setting, content in settings.items()
        if setting not in there and content.get("parameters", True)
    }

    def add() -> None:
        for setting, content in new.items():
            records.write_setting(setting, content)

    if new:
        records.transaction.write(add)


def _read(records: AnyRecords, setting: Setting) -> Any:
    return records.transaction.read(lambda: records.read_setting(setting))
