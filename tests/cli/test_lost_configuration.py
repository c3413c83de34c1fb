"""The command and the views say what was lost in a recovery, and go on."""

from pathlib import Path

import pytest

from shotstore import Sequence
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import PATH
from tests.damage.lost import SHOTS, recover_without_configuration
from tests.shell import Shell

LOST = "lost in a recovery"


@pytest.fixture(params=[SHOTS, 0])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """One whose sequence has lost all but its shots, and one without any."""
    root = tmp_path / "lab"
    storage = HDF5StorageManager(root, serializer=serializer())
    recover_without_configuration(storage, shots=request.param)
    return root


def test_show_says_what_is_lost(shell: Shell, store: Path) -> None:
    shown = shell.run("show", str(PATH), "--store", str(store))
    assert shell.code == 0, shell.error
    assert "camera" in shown
    said = " ".join(shown.split())
    for part in ("the recipe", "the time lanes", "the global parameters"):
        assert f"{part} ({LOST})" in said
    found = shell.json("show", str(PATH), "--store", str(store), "--json")
    assert found["devices"] == {"camera": LOST}
    assert found["not_readable"] == dict.fromkeys(
        ["recipe", "time lanes", "global parameters"], LOST
    )


@pytest.mark.parametrize(
    "command",
    [
        ["info"],
        ["ls"],
        ["tree"],
        ["find"],
        ["find", "--where", "x > 0.1"],
        ["find", "--varied", "x"],
        ["verify"],
        ["shots", str(PATH)],
        ["mv", str(PATH), r"\\elsewhere"],
    ],
)
def test_commands_go_on(shell: Shell, store: Path, command: list[str]) -> None:
    shell.run(*command, "--store", str(store))
    assert "Traceback" not in shell.error
    assert LOST not in shell.error
    assert shell.code in (0, 1), shell.error


def test_a_workbook_and_the_notebook_view_say_what_is_lost(
    shell: Shell, store: Path, tmp_path: Path
) -> None:
    storage = HDF5StorageManager(store, serializer=serializer())
    with storage.session() as session:
        view = Sequence(PATH, session)._repr_html_()
        count = len(Sequence(PATH, session))
    assert f"the global parameters ({LOST})" in view
    if not count:
        return
    openpyxl = pytest.importorskip("openpyxl")
    shell.run("export", str(PATH), "--store", str(store), "-o", str(tmp_path / "run.xlsx"))
    assert shell.code == 0, shell.error
    book = openpyxl.load_workbook(tmp_path / "run.xlsx")
    cells = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    assert {"global parameters, not readable here", LOST} <= cells
