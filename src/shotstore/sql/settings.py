"""Where the tables keep what is to be launched next, and the units of the lab."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from shotstore.model import JSON
from shotstore.records.content import Setting
from shotstore.sql.tables import device_configurations, global_parameters, units


def read(connection: Connection, setting: Setting) -> Mapping[str, Any] | None:
    """A setting, or None if there is none."""
    match setting.kind:
        case "units":
            return {"definitions": read_units(connection)}
        case "global parameters":
            found = connection.execute(select(global_parameters.c.content)).one_or_none()
            return None if found is None else {"parameters": found.content}
        case "device configuration":
            table = device_configurations
            query = select(table.c.type, table.c.content).where(table.c.name == setting.name)
            row = connection.execute(query).one_or_none()
            return None if row is None else {"type": row.type, "content": row.content}


def write(connection: Connection, setting: Setting, content: Mapping[str, JSON] | None) -> None:
    """Replace a setting, or remove it if the content is None."""
    match setting.kind:
        case "units":
            connection.execute(delete(units))
            definitions: Any = [] if content is None else content["definitions"]
            rows = [{"id": place, "definition": text} for place, text in enumerate(definitions)]
            if rows:
                connection.execute(insert(units), rows)
        case "global parameters":
            connection.execute(delete(global_parameters))
            if content is not None:
                row = {"id": 0, "content": content["parameters"]}
                connection.execute(insert(global_parameters).values(row))
        case "device configuration":
            table = device_configurations
            connection.execute(delete(table).where(table.c.name == setting.name))
            if content is not None:
                connection.execute(insert(table).values(name=setting.name, **content))


def read_units(connection: Connection) -> list[str]:
    """What the database defines as units, in the order in which it was defined."""
    return list(connection.scalars(select(units.c.definition).order_by(units.c.id)))
