"""The device configurations of a session on a SQL database."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select, update

from shotstore.model import DeviceConfiguration
from shotstore.records import configurations
from shotstore.session import DeviceConfigurationCollection
from shotstore.sql.tables import AnyRow
from shotstore.sql.tables import device_configurations as table

if TYPE_CHECKING:
    from shotstore.sql.session import SQLExperimentSession


class SQLDeviceConfigurationCollection(DeviceConfigurationCollection):
    def __init__(self, session: "SQLExperimentSession") -> None:
        self._session = session

    def __getitem__(self, name: str) -> DeviceConfiguration:
        try:
            plain = configurations.check_device_name(name)
        except (TypeError, ValueError):
            raise KeyError(name) from None  # what cannot be stored is not there

        def get(connection: Connection) -> AnyRow | None:
            return connection.execute(
                select(table.c.type, table.c.content).where(table.c.name == plain)
            ).one_or_none()

        row = self._session.transaction.read(get)
        if row is None:
            raise KeyError(name)
        return configurations.load_device(self._session.serializer, name, row.type, row.content)

    def __setitem__(self, name: str, configuration: DeviceConfiguration) -> None:
        plain = configurations.check_device_name(name)
        tag, content = configurations.dump_device(self._session.serializer, configuration)
        values = {"type": tag, "content": content}

        def replace(connection: Connection) -> None:
            change = update(table).where(table.c.name == plain).values(values)
            if not connection.execute(change).rowcount:
                connection.execute(insert(table).values(name=plain, **values))

        self._session.transaction.write(replace)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._session.transaction.write(
            lambda connection: connection.execute(delete(table).where(table.c.name == name))
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def _names(self) -> list[str]:
        # Sorted here: the order of texts on a server is a matter of its language.
        return self._session.transaction.read(
            lambda connection: sorted(connection.scalars(select(table.c.name)))
        )
