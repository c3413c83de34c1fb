"""What a lab defines as a unit is known to other processes, to the command line and in copies."""

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from shotstore import DamagedStorageError, UnknownUnitError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.unit_documents import UNITS
from shotstore.model import DefaultSerializer, quantity
from shotstore.testing.experiments import PATH, finish, launch, record

pytestmark = pytest.mark.exhaustive

DEFINITION = "recoil_of_lab = 3.77 kHz = Er_of_lab"

READ = """
import sys
from shotstore import cli
from shotstore.hdf5 import HDF5StorageManager
from shotstore.sql import SQLiteConfig, SQLiteStorageManager

if sys.argv[1].endswith(".db"):
    storage = SQLiteStorageManager(SQLiteConfig(sys.argv[1]))
else:
    storage = HDF5StorageManager(sys.argv[1], read_only=True)
with storage.session() as session:
    [path] = session.sequences.get_contained_sequences("\\\\")
    print(session.sequences.get_shot_parameters(path, 0)["depth"].to("kHz"))
"""


def run(code: str, *arguments: str | Path) -> str:
    """What another process prints, which knows nothing of the units of this one."""
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def shotstore(*arguments: str | Path) -> str:
    return run("from shotstore.cli import main; main()", *arguments)


@pytest.fixture
def lab(tmp_path: Path, serializer: DefaultSerializer) -> Path:
    """A store with a unit of its own, and a run in it."""
    storage = HDF5StorageManager(tmp_path / "lab", serializer=serializer)
    with storage.session() as session:
        session.define_unit(DEFINITION)
        launch(session)
        record(session, parameters={"depth": quantity(2.0, "Er_of_lab")})
        finish(session)
    storage.close()
    return storage.root


def test_another_process_knows_the_units_of_a_store(lab: Path) -> None:
    assert run(READ, lab) == "7.54 kilohertz\n"
    assert run(READ, lab / "sequences" / "2026") == "7.54 kilohertz\n"
    assert "depth" in shotstore("shots", "2026/rabi", "--store", lab, "--where", "depth > 7 kHz")
    assert "Er_of_lab" in shotstore("show", "2026/rabi", "--store", lab)
    shotstore("verify", "--store", lab)


def test_copies_know_the_units(lab: Path, tmp_path: Path) -> None:
    database, again = tmp_path / "copy.db", tmp_path / "again"
    shotstore("copy", lab, f"sqlite:///{database}", "2026/rabi")
    assert run(READ, database) == "7.54 kilohertz\n"
    shotstore("copy", f"sqlite:///{database}", again)
    assert run(READ, again) == "7.54 kilohertz\n"
    assert DEFINITION in (again / UNITS).read_text()
    shotstore("copy", lab, tmp_path / "files")
    assert run(READ, tmp_path / "files") == "7.54 kilohertz\n"


def test_a_storage_that_is_open_learns_what_another_process_defines(lab: Path) -> None:
    storage = HDF5StorageManager(lab)
    with storage.session() as session:
        session.get_unit_definitions()
    run(
        "import sys\n"
        "from shotstore.hdf5 import HDF5StorageManager\n"
        "with HDF5StorageManager(sys.argv[1]).session() as session:\n"
        "    session.define_unit('late_of_lab = 2 Er_of_lab')\n",
        lab,
    )
    with storage.session():
        assert quantity(1, "late_of_lab").to("kHz").magnitude == pytest.approx(7.54)


CONFLICT = """
import sys
from shotstore import UnitConflictError
from shotstore.hdf5 import HDF5StorageManager

one, other = (HDF5StorageManager(root) for root in sys.argv[1:])
with one.session() as session:
    session.define_unit("Er_of_lab = 3.77 kHz")
try:
    with other.session() as session:
        session.get_global_parameters()
except UnitConflictError as error:
    print(error)
with one.session() as session:
    print(session.get_unit_definitions())
"""


def test_two_stores_that_mean_different_things_are_not_used_in_one_process(tmp_path: Path) -> None:
    run(
        "import sys\n"
        "from shotstore.hdf5 import HDF5StorageManager\n"
        "with HDF5StorageManager(sys.argv[1]).session() as session:\n"
        "    session.define_unit('Er_of_lab = 2 kHz')\n",
        tmp_path / "other",
    )
    printed = run(CONFLICT, tmp_path / "one", tmp_path / "other").splitlines()
    assert "defines the unit 'Er_of_lab = 2 kHz', which is not the 'Er_of_lab = 3.77" in printed[0]
    assert str(tmp_path / "other") in printed[0]
    assert "processes of their own" in printed[0]
    assert printed[1] == "('Er_of_lab = 3.77 kHz',)"


def test_a_copy_to_a_store_that_means_another_thing_changes_nothing(
    lab: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    run(
        "import sys\n"
        "from shotstore.hdf5 import HDF5StorageManager\n"
        "with HDF5StorageManager(sys.argv[1]).session() as session:\n"
        "    session.define_unit('Er_of_lab = 2 kHz')\n",
        other,
    )
    before = sorted(other.rglob("*.json"))
    with pytest.raises(AssertionError, match="give one of them another name"):
        shotstore("copy", lab, other)
    assert sorted(other.rglob("*.json")) == before


def test_a_damaged_document_of_units_keeps_nobody_from_the_rest(lab: Path) -> None:
    (lab / UNITS).write_text("{")
    storage = HDF5StorageManager(lab)
    with storage.session() as session:
        assert session.sequences.get_stats(PATH).number_completed_shots == 1
        with pytest.raises(DamagedStorageError, match=UNITS):
            session.get_unit_definitions()
        with pytest.raises(DamagedStorageError, match=UNITS):
            session.define_unit("late_of_lab = 2 Er_of_lab")
    [finding] = storage.verify().findings
    assert finding.file == lab / UNITS
    assert (lab / UNITS).read_text() == "{"


def test_a_unit_that_nobody_defines_any_more_is_not_called_damage(
    lab: Path, tmp_path: Path
) -> None:
    database = tmp_path / "copy.db"
    shotstore("copy", lab, f"sqlite:///{database}")
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM units")
    (lab / UNITS).unlink()
    for storage in (lab, database):
        with pytest.raises(AssertionError, match="UnknownUnitError: The unit 'Er_of_lab'"):
            run(READ, storage)
    shotstore("verify", "--store", lab)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("Ohm", "ohm"), ("Angstroem", "angstrom"), ("RPM", "revolutions_per_minute")],
)
def test_an_unknown_unit_is_told_what_is_close_and_how_to_define_it(text: str, meant: str) -> None:
    with pytest.raises(
        UnknownUnitError, match=rf"did you mean .*'{meant}'.*define_unit\('{text} = "
    ):
        quantity(1, text)


def test_a_text_that_no_unit_can_have_is_told_how_to_name_one() -> None:
    with pytest.raises(ValueError, match=r"letters, digits and _, .*define_unit\('arb_u = "):
        quantity(1, "arb.u.")
