"""The commands `verify`, `recover` and `trash`, as a person types them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import PATH, finish, launch, path, record
from tests.permissions import mode, ordinary_user
from tests.shell import Shell

FRAME = np.arange(64 * 64, dtype="<u2").reshape(64, 64)


@pytest.fixture
def shell(
    storage: HDF5StorageManager,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """A shell in the directory of a store with a finished sequence of two shots."""
    with storage.session() as session:
        launch(session)
        for index in range(2):
            record(session, index=index, data={"frame": FRAME + index})
        finish(session)
    monkeypatch.chdir(storage.root)
    monkeypatch.delenv("SHOTSTORE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(capsys, monkeypatch)


def damage(storage: HDF5StorageManager) -> None:
    """Flip a bit in the frame of the last shot."""
    file = storage.root.joinpath("sequences", *PATH.parts, "shots.h5")
    content = bytearray(file.read_bytes())
    content[content.index((FRAME + np.uint16(1)).tobytes())] ^= 1
    file.write_bytes(content)


def delete(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)


# verify and recover


def test_verify_says_that_a_store_is_sound(shell: Shell) -> None:
    assert "Nothing is damaged. Read: 1 sequence, 2 shots," in shell.run("verify")
    assert shell.code == 0
    assert shell.error == ""


def test_verify_reports_damage_and_recover_saves_the_rest(
    shell: Shell, storage: HDF5StorageManager
) -> None:
    damage(storage)
    said = shell.run("verify")
    assert shell.code == 1
    assert "data/frame" in said
    assert "`shotstore recover 2026/rabi`" in said
    assert "Damage: 1." in said
    said = shell.run("recover", "2026/rabi")
    assert shell.code == 0
    assert "with 2 shots" in said
    assert "Lost of shot 1: frame." in said
    shell.run("verify")
    assert shell.code == 0
    assert "not damaged" in shell.run("recover", "2026/rabi")
    assert "recovered" in shell.run("trash", "list")


def test_what_verify_says_is_on_whole_lines_where_no_terminal_is(
    shell: Shell, storage: HDF5StorageManager
) -> None:
    assert shell.code == 0
    damage(storage)
    command = [sys.executable, "-m", "shotstore", "verify", "--store", str(storage.root)]
    environment = {**os.environ, "COLUMNS": "40"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    [finding] = storage.verify().findings
    lines = done.stdout.splitlines()
    assert [f"        {finding.problem}", f"        {finding.remedy}"] == lines[2:4]
    assert lines[-1].startswith("Damage: 1. Read: 1 sequence, 2 shots, ")
    assert all(line == line.rstrip() for line in lines)


def test_verify_prints_json(shell: Shell, storage: HDF5StorageManager) -> None:
    damage(storage)
    report = json.loads(shell.run("verify", "--json"))
    assert shell.code == 1
    assert (report["damaged"], report["sequences"], report["shots"]) == (True, 1, 2)
    [finding] = report["findings"]
    assert finding.keys() == {"severity", "path", "file", "problem", "remedy"}
    assert finding["path"] == str(PATH)


@pytest.mark.parametrize("text", [r"\2026\rabi", r"2026\rabi", "2026/rabi", "/2026/rabi/"])
def test_a_path_is_typed_with_either_slash(shell: Shell, text: str) -> None:
    assert "1 sequence" in shell.run("verify", text)
    assert shell.code == 0


def test_the_store_is_found_from_inside_of_it(
    shell: Shell, storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(storage.root / "sequences" / "2026")
    assert "1 sequence" in shell.run("verify")
    monkeypatch.chdir(storage.root.parent)
    shell.run("verify")
    assert shell.code == 1
    assert "no store here" in shell.error
    assert "1 sequence" in shell.run("verify", "--store", str(storage.root))
    monkeypatch.setenv("SHOTSTORE", str(storage.root))
    assert "1 sequence" in shell.run("verify")


def test_a_directory_that_was_copied_out_of_a_store_is_verified(
    shell: Shell, storage: HDF5StorageManager
) -> None:
    place = storage.root / "sequences" / "2026" / "rabi"
    assert "2 shots" in shell.run("verify", "--store", str(place))
    before = sorted(place.iterdir())
    shell.run("recover", "rabi", "--store", str(place))
    assert shell.code == 1
    assert "is not a store" in shell.error
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "nowhere"),
        ("verify", "a//b"),
        ("verify", "--store", "nowhere"),
        ("recover", "2026"),
        ("trash", "restore", "none"),
        ("trash", "list", "--store", "nowhere"),
    ],
)
def test_an_error_is_one_line(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert shell.run(*arguments) == ""
    assert shell.code == 1
    assert shell.error.startswith("shotstore: ")
    assert shell.error.count("\n") == 1


def test_a_marker_that_is_damaged_is_one_line_too(
    shell: Shell, storage: HDF5StorageManager
) -> None:
    (storage.root / "shotstore.json").write_text("{")
    shell.run("verify")
    assert shell.code == 1
    assert "shotstore.json is damaged" in shell.error


# trash


def test_an_empty_trash(shell: Shell) -> None:
    assert shell.run("trash", "list") == "The trash is empty.\n"
    assert json.loads(shell.run("trash", "list", "--json")) == []
    assert "nothing to remove" in shell.run("trash", "empty")
    assert shell.code == 0


def test_what_was_deleted_is_listed_with_size_and_date(
    shell: Shell, storage: HDF5StorageManager
) -> None:
    delete(storage)
    [entry] = storage.trash.entries()
    said = shell.run("trash", "list")
    assert entry.id in said
    assert str(PATH) in said
    assert f"{entry.deleted.astimezone():%Y-%m-%d %H:%M}" in said
    assert "kB in total" in said
    assert json.loads(shell.run("trash", "list", "--json")) == [
        {
            "id": entry.id,
            "path": str(PATH),
            "deleted": entry.deleted.isoformat(),
            "reason": "deleted",
            "size": entry.size,
        }
    ]


def test_an_entry_is_restored_by_how_it_begins(shell: Shell, storage: HDF5StorageManager) -> None:
    delete(storage)
    [entry] = storage.trash.entries()
    assert shell.run("trash", "restore", entry.id[:20]) == f"{PATH} is back.\n"
    assert "2 shots" in shell.run("verify", "2026/rabi")
    delete(storage)
    [entry] = storage.trash.entries()
    assert (
        shell.run("trash", "restore", entry.id, "--to", "saved/rabi") == "\\saved\\rabi is back.\n"
    )


def test_a_beginning_of_two_entries_is_refused(shell: Shell, storage: HDF5StorageManager) -> None:
    delete(storage)
    with storage.session() as session:
        launch(session, path(r"\other"))
        finish(session, path(r"\other"))
    with storage.session() as session:
        session.paths.delete_path(path(r"\other"), delete_sequences=True)
    shell.run("trash", "restore", "20")
    assert shell.code == 1
    assert "2 entries" in shell.error


def test_emptying_gives_the_space_back(shell: Shell, storage: HDF5StorageManager) -> None:
    delete(storage)
    before = _size_of(storage.root)
    [entry] = storage.trash.entries()
    assert "nothing to remove" in shell.run("trash", "empty", "--older-than", "1", "--yes")
    assert len(storage.trash.entries()) == 1
    assert "Removed 1 entry" in shell.run("trash", "empty", "--yes")
    assert storage.trash.entries() == []
    assert _size_of(storage.root) == before - entry.size


def _size_of(directory: Path) -> int:
    """Bytes in all files, but for the one that names the last writer."""
    files = (file for file in directory.rglob("*") if file.is_file())
    return sum(file.stat().st_size for file in files if file.name != "writer.json")


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(("answer", "left"), [("n\n", 1), ("", 1), ("y\n", 0)])
def test_emptying_asks_first(storage: HDF5StorageManager, answer: str, left: int) -> None:
    delete(storage)
    done = subprocess.run(
        [sys.executable, "-m", "shotstore", "trash", "empty"],
        cwd=storage.root,
        input=answer,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": "200"},
    )
    assert "for good?" in done.stdout
    assert done.returncode == (1 if left else 0)
    assert len(storage.trash.entries()) == left


# Help


@pytest.mark.parametrize(
    "command",
    ["verify", "recover", "trash", "trash list", "trash restore", "trash empty"],
)
def test_every_command_says_what_it_does(shell: Shell, command: str) -> None:
    said = shell.run(*command.split(), "--help")
    assert shell.code == 0
    assert "Usage: shotstore" in said
    assert "│ --store" in said or command == "trash"


@pytest.mark.parametrize("days", ["99999999", "1e300", "inf"])
def test_any_number_of_days_can_be_asked_for(
    shell: Shell, storage: HDF5StorageManager, days: str
) -> None:
    delete(storage)
    assert shell.run("trash", "empty", "--older-than", days) == "There is nothing to remove.\n"
    assert shell.code == 0


def test_what_cannot_be_removed_is_told(shell: Shell, storage: HDF5StorageManager) -> None:
    delete(storage)
    (entry,) = storage.trash.entries()
    content = storage.trash.directory / entry.id / "content"
    with ordinary_user(storage.root), mode(content, 0o555):
        assert shell.run("trash", "empty", "--yes") == ""
        assert shell.code == 1
        assert entry.id in shell.error
    assert "Removed 1 entry" in shell.run("trash", "empty", "--yes")
