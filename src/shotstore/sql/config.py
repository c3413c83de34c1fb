"""Where a database is, and who asks."""

import os
import tomllib
from pathlib import Path
from typing import Any, Self

import attrs
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from shotstore.records.arguments import as_file


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(as_file(path, "path")).absolute()


def _check_is_not_bool(config: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    del config
    if isinstance(value, bool):
        raise TypeError(f"{attribute.name} must be an int, not {value}.")


@attrs.frozen
class SQLiteConfig:
    """A SQLite database: one file, with two beside it (``-wal``, ``-shm``) while it is in use."""

    path: Path = attrs.field(converter=_absolute)

    @classmethod
    def from_url(cls, text: str) -> Self:
        """Read ``sqlite:///relative.db`` or ``sqlite:////absolute/path.db``.

        Raises:
            ValueError: the text is not such a URL.
        """
        url = _parse(text, "sqlite", "sqlite:///runs.db")
        if not url.database or url.host:
            raise ValueError(f"{text!r} does not name a file: write sqlite:///runs.db.")
        return cls(Path(url.database))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Read a TOML file with the key ``path``, relative to the file's directory.

        Raises:
            ValueError: the file does not hold this key and no other, or is of another kind.
        """
        values = _read(Path(path), cls)
        if not isinstance(values["path"], str):
            raise ValueError(f"path in {path} must be a text, not {values['path']!r}.")
        return cls(Path(path).parent / values["path"])


@attrs.frozen
class PostgreSQLConfig:
    """A database on a PostgreSQL server.

    Attributes:
        password: May hold any character; it is left out of the ``repr``.
        host: Name or address of the server, or the directory of its Unix socket.
        port: By default that of PostgreSQL.
        database: Must exist; see :meth:`PostgreSQLStorageManager.upgrade` for what goes into it.
    """

    username: str = attrs.field(validator=attrs.validators.instance_of(str))
    password: str = attrs.field(repr=False, validator=attrs.validators.instance_of(str))
    host: str = attrs.field(validator=attrs.validators.instance_of(str))
    port: int = attrs.field(
        default=5432,
        kw_only=False,
        validator=[
            attrs.validators.instance_of(int),
            _check_is_not_bool,
            attrs.validators.ge(1),
            attrs.validators.le(65535),
        ],
    )
    database: str = attrs.field(default="shotstore", validator=attrs.validators.instance_of(str))

    @classmethod
    def from_url(cls, text: str) -> Self:
        """Read ``postgresql://username:password@host:port/database``, with percent-encoding.

        Raises:
            ValueError: the text is not such a URL, or says more.
        """
        example = "postgresql://username:password@host:5432/database"
        url = _parse(text, "postgresql", example)
        if not (url.username and url.host and url.database) or url.query:
            # Without the URL: it may hold a password.
            raise ValueError(f"The URL of a PostgreSQL database must be like {example}.")
        return cls(
            username=url.username,
            password=url.password or "",
            host=url.host,
            port=url.port or 5432,
            database=url.database,
        )

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Read a TOML file with the attributes of this class as its keys.

        Raises:
            ValueError: a key is missing, unknown or of the wrong type, or the file is of another
                kind.
        """
        values = _read(Path(path), cls)
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"{path}: {error.args[0]}.") from None

    @property
    def url(self) -> URL:
        """The URL for SQLAlchemy; its ``str`` hides the password."""
        return URL.create(
            "postgresql+psycopg",
            username=self.username,
            password=self.password,
            host=self.host,
            port=self.port,
            database=self.database,
        )


def _parse(text: str, scheme: str, example: str) -> URL:
    if not isinstance(text, str):
        raise TypeError(f"A URL must be a text, not of type {type(text).__name__}.")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Neither the URL nor the cause, which quotes it: it may hold a password.
        raise ValueError(f"This is not the URL of a database: write it like {example}.") from None
    if url.drivername != scheme:
        raise ValueError(f"A URL like {example} was expected, not {url.drivername}://...")
    return url


def _read(path: Path, cls: type[attrs.AttrsInstance]) -> dict[str, Any]:
    if path.suffix.lower() != ".toml":
        raise ValueError(f"{path} must be a TOML file, and its name must end in .toml.")
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    fields = attrs.fields_dict(cls)
    unknown = [key for key in values if key not in fields]
    missing = [
        name
        for name, field in fields.items()
        if name not in values and field.default is attrs.NOTHING
    ]
    if unknown or missing:
        found = [f"lacks {', '.join(missing)}"] if missing else []
        found += [f"holds {', '.join(unknown)}"] if unknown else []
        raise ValueError(f"{path} {' and '.join(found)}: the keys are {', '.join(fields)}.")
    return values
