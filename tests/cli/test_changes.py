"""`init`, `mv`, `rm`, `tag` and `note`: what changes a store."""

import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shotstore import StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.sql import SQLiteStorageManager
from shotstore.testing.experiments import TIME_LANES, path, recipe
from tests.shell import Shell

RABI = path(r"\2026\rabi")


def paths(storage: StorageManager) -> set[str]:
    with storage.session() as session:
        return set(map(str, session.paths.get_all_paths()))


def note_of(storage: StorageManager) -> str:
    with storage.session() as session:
        return session.sequences.get_note(RABI)


# init


@pytest.mark.parametrize("name", ["new/lab", "sqlite:///new.db"])
def test_a_store_is_created_once(shell: Shell, name: str) -> None:
    assert shell.run("init", name).endswith(" is now a store.\n")
    assert shell.run("ls", "--store", name) == "The store is empty.\n"
    assert shell.run("init", name).endswith(" is already a store.\n")
    assert shell.code == 0


def test_a_store_is_created_here(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("init") == f"{tmp_path} is now a store.\n"
    assert (tmp_path / "shotstore.json").is_file()


def test_no_store_is_created_inside_another_one(shell: Shell, tmp_path: Path) -> None:
    HDF5StorageManager(tmp_path / "lab")
    before = sorted(tmp_path.rglob("*"))
    for inside in ("lab/new", "lab/sequences/2026", "lab/.shotstore"):
        shell.run("init", inside)
        assert shell.code == 1
        assert f"is inside the store {tmp_path / 'lab'}" in shell.error
    assert sorted(tmp_path.rglob("*")) == before
    assert "already" in shell.run("init", "lab")


def test_no_store_is_created_among_other_files(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    shell.run("init")
    assert shell.code == 1
    assert "thesis.tex" in shell.error
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


# mv


def test_a_path_is_moved(shell: Shell, store: StorageManager) -> None:
    assert shell.run("mv", "2026/rabi", "old/first") == "\\2026\\rabi is now \\old\\first.\n"
    assert "\\old\\first" in paths(store)
    assert "\\2026\\rabi" not in paths(store)


def test_a_path_is_moved_into_a_folder_that_is_there(shell: Shell, store: StorageManager) -> None:
    assert shell.run("mv", "2026/rabi", "drafts/") == "\\2026\\rabi is now \\drafts\\rabi.\n"
    assert shell.run("mv", "drafts/rabi", "/") == "\\drafts\\rabi is now \\rabi.\n"
    assert "\\rabi" in paths(store)


@pytest.mark.parametrize(
    ("source", "destination", "message"),
    [
        ("2026/rabi", "drafts/later", "exists already"),
        ("2026/rabi", "2026/rabi", "exists already"),
        ("2026", "2026/11/inside", "inside it"),
        ("2026/12/live", "other", "running"),
        ("/", "other", "root"),
        ("2026/rabi", "drafts/later/deeper", "is a sequence"),
    ],
)
def test_a_move_that_is_not_possible_changes_nothing(
    shell: Shell, store: StorageManager, source: str, destination: str, message: str
) -> None:
    before = paths(store)
    assert shell.run("mv", source, destination) == ""
    assert shell.code == 1
    assert message in shell.error
    assert paths(store) == before


# rm


def test_what_is_removed_comes_back_from_the_trash(shell: Shell, lab: HDF5StorageManager) -> None:
    said = shell.run("rm", "--yes", "2026/rabi", "drafts")
    assert shell.code == 0
    assert not {"\\2026\\rabi", "\\drafts"} & paths(lab)
    for line in said.splitlines():
        shell.run(*line.partition("shotstore ")[2].split())
        assert shell.code == 0
    assert {"\\2026\\rabi", "\\drafts\\later"} <= paths(lab)


def test_a_database_has_no_trash(shell: Shell, database: SQLiteStorageManager) -> None:
    assert shell.run("rm", "-y", "2026/rabi") == "\\2026\\rabi is deleted.\n"
    assert "\\2026\\rabi" not in paths(database)


@pytest.mark.parametrize(("answer", "is_left"), [("n\n", True), ("", True), ("y\n", False)])
def test_removing_asks_first(store: StorageManager, answer: str, is_left: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shotstore", "rm", "2026/rabi"],
        input=answer,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.stdout.startswith("\\2026\\rabi: finished, 3 shots")
    is_file_store = isinstance(store, HDF5StorageManager)
    question = "Move it to the trash?" if is_file_store else "Delete it for good?"
    assert question in done.stdout
    assert done.returncode == is_left
    assert ("\\2026\\rabi" in paths(store)) == is_left


def test_all_is_removed_or_nothing(shell: Shell, store: StorageManager) -> None:
    before = paths(store)
    for others, message in {
        ("nowhere",): "Nothing is at \\nowhere",
        ("2026/12/live",): "running",
        ("/",): "root",
    }.items():
        shell.run("rm", "-y", "2026/rabi", *others)
        assert shell.code == 1
        assert message in shell.error
    assert paths(store) == before


def test_a_folder_takes_what_is_in_it_along(shell: Shell, lab: HDF5StorageManager) -> None:
    shell.run("rm", "-y", "drafts", "drafts/later", "empty")
    assert shell.code == 0
    assert {str(entry.path) for entry in lab.trash.entries()} == {"\\drafts", "\\empty"}


# tag


def test_tags_are_put_on_and_taken_off(shell: Shell, store: StorageManager) -> None:
    assert shell.run("tag", "2026/rabi") == "thesis\n"
    assert shell.run("tag", "2026/rabi", "good one", "A") == "A, good one, thesis\n"
    assert shell.run("tag", "2026/rabi", "-r", "thesis", "-r", "none") == "A, good one\n"
    assert shell.json("tag", "2026/rabi") == ["A", "good one"]
    with store.session() as session:
        assert session.sequences.get_tags(RABI) == {"A", "good one"}
    assert shell.run("tag", "drafts/later") == "\\drafts\\later has no tags.\n"


@pytest.mark.usefixtures("store")
def test_all_tags_are_listed(shell: Shell) -> None:
    shell.run("tag", "drafts/later", "thesis", "later")
    assert shell.json("tag") == {"later": 1, "thesis": 2}
    assert shell.rows("tag") == {"later": ["1 sequence"], "thesis": ["2 sequences"]}


@pytest.mark.usefixtures("lab")
def test_what_is_not_a_tag_is_refused(shell: Shell) -> None:
    shell.run("tag", "2026/rabi", "good", "a,b")
    assert shell.code == 2
    assert "comma" in shell.error
    assert shell.run("tag", "2026/rabi") == "thesis\n"


# note


def test_what_is_noted_is_added_with_its_date(
    shell: Shell, store: StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = shell.run("note", "2026/rabi", "fine")
    assert re.fullmatch(
        r"\\2026\\rabi: the good one\nof many\n\d{4}-\d\d-\d\d \d\d:\d\d fine\n", said
    )
    monkeypatch.setattr(sys, "stdin", io.StringIO("from a\npipe\n"))
    shell.run("note", "2026/rabi", "-")
    assert re.search(r"many\n.* fine\n\d{4}-.* from a\npipe$", note_of(store))
    assert shell.run("note", "2026/rabi", "--print") == f"{note_of(store)}\n"


def test_a_note_is_replaced_only_where_that_is_said(shell: Shell, store: StorageManager) -> None:
    shell.run("note", "2026/rabi", "")
    assert shell.code == 2
    assert "--replace" in shell.error
    assert note_of(store) == "the good one\nof many"
    assert shell.run("note", "2026/rabi", "--replace", "new") == "\\2026\\rabi: new\n"
    assert note_of(store) == "new"
    assert "no note" in shell.run("note", "2026/rabi", "--replace", "")
    assert note_of(store) == ""


def test_a_shot_and_a_folder_are_noted(shell: Shell, store: StorageManager) -> None:
    assert re.fullmatch(
        r"\\2026\\rabi#1: \S+ \S+ out of lock\n",
        shell.run("note", "2026/rabi#1", "out of lock"),
    )
    shell.run("note", "2026", "--replace", "A good year.")
    assert shell.run("note", "2026", "-p") == "A good year.\n"
    with store.session() as session:
        assert session.sequences.get_shot_note(RABI, 1).endswith("out of lock")
        assert session.sequences.get_shot_note(RABI, 0) == ""
        assert session.paths.get_note(r"\2026") == "A good year."
    shell.run("note", "2026/rabi#7", "nothing")
    assert shell.code == 1
    assert "no shot 7" in shell.error


def test_a_shot_is_tagged(shell: Shell, store: StorageManager) -> None:
    assert shell.run("tag", "2026/rabi#1", "bad", "laser") == "bad, laser\n"
    assert shell.run("tag", "2026/rabi#1", "-r", "laser") == "bad\n"
    assert shell.run("tag", "2026/rabi#0") == "\\2026\\rabi#0 has no tags.\n"
    with store.session() as session:
        assert session.sequences.get_shot_tags(RABI, 1) == {"bad"}
        session.paths.create_path(r"\a")
        session.sequences.create(r"\a\run #2", recipe(), TIME_LANES)
    assert shell.run("tag", "a/run #2", "plain") == "plain\n"
    shown = shell.run("shots", "2026/rabi", "--where", "not tag = bad")
    assert "bad" not in shown


def test_results_are_shown(shell: Shell, store: StorageManager) -> None:
    with store.session() as session:
        columns = {"shot_index": [0, 2], "fraction": [0.25, 0.5]}
        session.sequences.set_many_results(RABI, columns, by="fit")
        session.sequences.set_shot_tags(RABI, 1, ["bad"])
    shown = shell.run("shots", "2026/rabi", "--results")
    assert "fraction" in shown
    assert "0.25" in shown
    assert "bad" in shown
    assert "atoms" not in shown
    assert "atoms" in shell.run("shots", "2026/rabi")
    shown = shell.run("show", "2026/rabi")
    assert "Results" in shown
    assert "fraction" in shown
    assert "shot 1" in shown
    assert shell.json("show", "2026/rabi")["results"]["fraction"]["kind"] == "float"


@pytest.mark.usefixtures("lab")
def test_a_note_that_is_not_a_text_is_refused(shell: Shell) -> None:
    shell.run("note", "2026/rabi", "\udcff")
    assert shell.code == 2
    assert "surrogate" in shell.error


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def edit(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lab: HDF5StorageManager
) -> Callable[[str], str]:
    """Opens the note in an editor, which is a script."""
    del lab
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def run(script: str) -> str:
        editor = tmp_path / "editor.py"
        editor.write_text(f"import sys\nname = sys.argv[1]\n{script}\n")
        monkeypatch.setenv("EDITOR", f"'{sys.executable}' '{editor}'")
        return shell.run("note", "2026/rabi")

    return run


def test_a_note_is_edited(
    edit: Callable[[str], str], lab: HDF5StorageManager, tmp_path: Path
) -> None:
    edit("text = open(name).read(); open(name, 'w').write(text.replace('good', 'best'))")
    assert note_of(lab) == "the best one\nof many"
    assert edit("") == "The note was left as it is.\n"
    assert not list(tmp_path.glob("note-*"))


def test_no_edited_note_is_lost(
    edit: Callable[[str], str], shell: Shell, lab: HDF5StorageManager, tmp_path: Path
) -> None:
    set_note = (
        "from shotstore import PureSequencePath\nfrom shotstore.hdf5 import HDF5StorageManager\n"
        "with HDF5StorageManager('lab').session() as session:\n"
        "    session.sequences.set_note(PureSequencePath(r'\\2026\\rabi'), 'of somebody else')\n"
    )
    edit(f"{set_note}open(name, 'w').write('mine')")
    assert shell.code == 1
    assert note_of(lab) == "of somebody else"
    [kept] = tmp_path.glob("note-*")
    assert str(kept) in shell.error
    assert kept.read_text() == "mine"
    edit("sys.exit(3)")
    assert shell.code == 1
    assert "has failed" in shell.error


@pytest.mark.usefixtures("lab")
def test_without_a_terminal_no_editor_is_opened(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    shell.run("note", "2026/rabi")
    assert shell.code == 1
    assert "no terminal" in shell.error
