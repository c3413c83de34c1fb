"""``import shotstore`` gives the public names, and nothing that takes long to load."""

import subprocess
import sys

import shotstore
from shotstore import errors


def test_every_public_name_is_there() -> None:
    assert len(set(shotstore.__all__)) == len(shotstore.__all__)
    for name in shotstore.__all__:
        assert hasattr(shotstore, name)


def test_every_error_is_public() -> None:
    defined = {name for name, item in vars(errors).items() if isinstance(item, type)}
    assert defined <= set(shotstore.__all__)


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    heavy = {"anyio", "asyncio", "h5py", "matplotlib", "pint", "polars", "sqlalchemy", "rich"}
    program = f"import sys, shotstore; print(*({heavy!r} & sys.modules.keys()))"
    imported = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert imported.split() == []
