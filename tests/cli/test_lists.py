"""`ls`, `tree`, `find`, `du` and `info`: what is in a store."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shotstore import PureSequencePath, StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.sql import SQLiteStorageManager
from shotstore.testing.experiments import MICROSECONDS, START, create, path
from tests.permissions import mode, ordinary_user
from tests.shell import Shell

RABI, LIVE = r"\2026\rabi", r"\2026\12\live"
RAMSEY, LATER = r"\2026\11\ramsey", r"\drafts\later"
ERROR = "RuntimeError: the laser is off"
KILLED_IN_A_COMMIT = r"""
import os
from shotstore import PureSequencePath
from shotstore.hdf5 import HDF5StorageManager, disk
from tests.commit_moment import CommitMoment

moment = CommitMoment()

def exit_after_the_commit(operation):
    if moment.note(operation):
        os._exit(9)

disk.observe = exit_after_the_commit
with HDF5StorageManager("lab").session() as session:
    session.paths.create_path(PureSequencePath(r"\folder"))
"""
DATE = f"{START.astimezone():%Y-%m-%d %H:%M}"


def size_of(lab: HDF5StorageManager, *parts: str) -> int:
    files = lab.root.joinpath("sequences", *parts).rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


# ls


@pytest.mark.usefixtures("store")
def test_a_folder_is_listed_with_states_shots_dates_tags_and_notes(shell: Shell) -> None:
    rows = shell.rows("ls", "2026")
    assert list(rows) == ["11\\", "12\\", "rabi"]
    assert rows["rabi"][:4] == ["finished", "3/3", DATE, "1 min 40 s"]
    assert rows["rabi"][-2:] == ["thesis", "the good one …"]
    assert rows["11\\"][:3] == ["1 sequence", "1", DATE]
    assert rows["12\\"][:2] == ["1 sequence, 1 active", "1"]
    assert list(shell.rows("ls")) == ["2026\\", "drafts\\", "empty\\"]
    assert shell.code == 0


def test_sizes_of_files_are_listed(shell: Shell, lab: HDF5StorageManager) -> None:
    listed = {entry["path"]: entry["size"] for entry in shell.json("ls", "2026")}
    assert listed == {
        r"\2026\11": size_of(lab, "2026", "11"),
        r"\2026\12": size_of(lab, "2026", "12"),
        RABI: size_of(lab, "2026", "rabi"),
    }


@pytest.mark.usefixtures("store")
def test_sequences_are_listed_at_any_depth(shell: Shell) -> None:
    rows = shell.rows("ls", "--recursive")
    assert list(rows) == [RAMSEY, LIVE, RABI, LATER]
    assert rows[RAMSEY][-1] == ERROR
    assert rows[LATER][:2] == ["draft", "0/10"]
    assert list(shell.rows("ls", "-r", "2026/11")) == [RAMSEY]
    assert list(shell.rows("ls", "2026/rabi")) == [RABI]


@pytest.mark.usefixtures("lab")
def test_a_list_is_sorted_as_one_likes(shell: Shell) -> None:
    assert next(iter(shell.rows("ls", "-r", "--sort", "date"))) == LATER
    by_size = list(shell.rows("ls", "-r", "--sort", "size"))
    assert by_size[0] == LATER
    assert by_size[-1] == RABI


@pytest.mark.usefixtures("store")
def test_programs_get_json(shell: Shell) -> None:
    [folder, *_, sequence] = shell.json("ls", "2026")
    assert folder["kind"] == "folder"
    assert (folder["number_of_sequences"], folder["number_of_shots"]) == (1, 1)
    assert sequence["kind"] == "sequence"
    assert sequence["state"] == "finished"
    assert (sequence["number_of_shots"], sequence["expected_number_of_shots"]) == (3, 3)
    assert sequence["start_time"] == START.isoformat()
    assert (sequence["tags"], sequence["note"]) == (["thesis"], "the good one\nof many")
    assert sequence["varied"]["pulse.length"]["stop"] == "4 us"


def test_a_damaged_sequence_is_listed_as_such(shell: Shell, lab: HDF5StorageManager) -> None:
    lab.get_directory(RABI).joinpath("sequence.json").write_text("{")
    assert shell.rows("ls", "2026")["rabi"][0] == "damaged"
    assert "damaged" in shell.run("tree")
    assert shell.json("ls", "2026")[-1]["state"] == "damaged"
    assert "\\2026\\rabi: damaged" in shell.run("rm", "2026/rabi")


def test_shots_are_not_read_for_lists(shell: Shell, lab: HDF5StorageManager) -> None:
    lab.get_directory(RABI).joinpath("shots.h5").unlink()
    for command in (("ls", "2026"), ("tree",), ("find", "rabi"), ("info",), ("du",), ("tag",)):
        assert shell.run(*command)
        assert (shell.code, shell.error) == (0, "")


def test_a_commit_that_a_killed_program_has_left_is_finished(
    shell: Shell, lab: HDF5StorageManager
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", KILLED_IN_A_COMMIT], env=environment, check=False)
    assert done.returncode == 9
    assert not lab.get_information().is_carried_out
    assert not (lab.root / "sequences" / "folder").exists()
    assert "folder\\" in shell.run("ls")
    assert lab.get_information().is_carried_out
    assert (lab.root / "sequences" / "folder").exists()


def test_after_a_power_cut_a_list_carries_out_the_log(
    shell: Shell, lab: HDF5StorageManager, tmp_path: Path
) -> None:
    lab.close()
    with lab.session() as session:
        session.paths.create_path(PureSequencePath(r"\folder"))
    shutil.copytree(lab.root, tmp_path / "left")
    shutil.rmtree(tmp_path / "left" / "sequences" / "folder")  # which was not synced
    assert "folder\\" in shell.run("ls", "--store", "left")
    assert (tmp_path / "left" / "sequences" / "folder" / "folder.json").exists()
    assert HDF5StorageManager(tmp_path / "left", read_only=True).get_information().is_carried_out


# tree


@pytest.mark.usefixtures("store")
def test_the_tree_shows_all_paths(shell: Shell) -> None:
    header, _, *lines = shell.run("tree").splitlines()
    names = [line[: header.index("STATE")].rstrip() for line in lines]
    assert names == [
        "├── 2026",
        "│   ├── 11",
        "│   │   └── ramsey",
        "│   ├── 12",
        "│   │   └── live",
        "│   └── rabi",
        "├── drafts",
        "│   └── later",
        "└── empty",
    ]
    assert ERROR in shell.run("tree", "2026/11")


@pytest.mark.usefixtures("lab")
def test_a_tree_is_cut(shell: Shell) -> None:
    assert len(shell.run("tree", "--depth", "1").splitlines()) == 2 + 3
    folders = shell.run("tree", "--folders")
    assert "ramsey" not in folders
    assert len(folders.splitlines()) == 2 + 5


# find


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), [RAMSEY, LIVE, RABI, LATER]),
        (("2026/*",), [RAMSEY, LIVE, RABI]),
        (("2026/1*",), [RAMSEY, LIVE]),
        (("rabi",), [RABI]),
        (("--state", "finished"), [RABI]),
        (("--state", "finished", "--state", "crashed"), [RAMSEY, RABI]),
        (("--since", "2026-11-22", "--until", "2026-11-22"), [RAMSEY, LIVE, RABI]),
        (("--until", "2026-01-01"), [LATER]),
        (("--varied", "length", "--min-shots", "2"), [RABI]),
        (("--where", "length > 3 us", "--max-shots", "0"), [LATER]),
        (("--where", "0.5 us < pulse.length < 0.9 us"), []),
        (("--where", "length = 2 us", "--label", "frame"), [RABI]),
        (("--where", "length > 4 us"), []),
        (("--where", "4 us <= length", "--tag", "thesis"), [RABI]),
        (("--where", "length > 3 us and length < 5 us", "--tag", "thesis"), [RABI]),
        (("--where", "length > 4 us", "--where", "length < 5 us"), []),
        (("--where", "length = 9 us or length = 2 us", "--tag", "thesis"), [RABI]),
        (("--where", "length = 9 us or length = 2 us", "--where", "length > 4 us"), []),
        (("--tag", "thesis"), [RABI]),
        (("--text", "LASER"), [RAMSEY]),
        (("--text", "good one"), [RABI]),
    ],
)
def test_sequences_are_found(shell: Shell, arguments: tuple[str, ...], found: list[str]) -> None:
    assert shell.run("find", *arguments, "--paths").splitlines() == found
    assert [sequence["path"] for sequence in shell.json("find", *arguments)] == found
    assert shell.code == 0


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    "where",
    [
        "length > 4 us",
        "length >= 4 us",
        "1 us > length",
        "1000 ns >= length",
        "1 us <= length < 4 us",
        "0 < length and 4 us <= length",
        "length = 2.5 us",
        "-1 us < length < 0",
        "length < 1 us or length > 4 us",
        "length < 1 us or not length < 4 us",
        "not (length >= 1 us and length <= 4 us)",
        "length != 1 us",
        "length = 5 us +- 1 us",
        "length = 6 us +- 1 us",
    ],
)
def test_a_condition_means_the_same_for_sequences_as_for_shots(shell: Shell, where: str) -> None:
    shots = shell.json("shots", "2026/rabi", "--where", where)["shots"]
    assert shell.code == 0
    found = shell.run("find", "2026/rabi", "--where", where, "--paths")
    assert (shell.code, shell.error) == (0, "")
    assert bool(found) is bool(shots)


@pytest.mark.usefixtures("store")
def test_what_was_found_is_listed_with_what_it_varies(shell: Shell) -> None:
    [row] = shell.rows("find", "rabi").values()
    assert row[-2:] == ["pulse.length 1 us to 4 us (3 values)", "the good one …"]
    assert shell.run("find", "rabi", "--state", "crashed") == "Nothing was found.\n"
    assert shell.code == 0


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("raby",), r"No sequence is at 'raby': the closest is '\2026\rabi'."),
        (("2027/*",), r"No sequence is at '2027/*': the closest is '\2026'."),
        (("--tag", "tesis"), "No sequence has the tag 'tesis': the closest is 'thesis'."),
        (("--label", "Frame"), "No shot has data under 'Frame': the closest is 'frame'."),
        (
            ("--varied", "lenght"),
            "No sequence has a parameter or data 'lenght': the closest is 'pulse.length'.",
        ),
        (("--where", "zzz > 3"), "No sequence has a parameter or data 'zzz'."),
        # These exist, in the shots alone, or elsewhere.
        (("--varied", "offset"), ""),
        (("drafts", "--tag", "thesis", "--label", "frame"), ""),
    ],
)
def test_a_name_that_exists_nowhere_is_told(
    shell: Shell, arguments: tuple[str, ...], said: str
) -> None:
    assert shell.run("find", *arguments) == f"Nothing was found. {said}".rstrip() + "\n"
    assert shell.code == 0
    assert shell.json("find", *arguments) == []


@pytest.mark.usefixtures("lab")
def test_a_wrong_unit_is_told_in_words(shell: Shell) -> None:
    shell.run("find", "rabi", "--where", "length > 3")
    assert shell.code == 1
    assert shell.error.startswith("shotstore: ")
    assert f"as from 1 {MICROSECONDS} to 2 {MICROSECONDS}" in shell.error


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--where", "length"), "not a condition"),
        (("--where", "> 3"), "not a condition"),
        (("--where", "length > 3 >"), "not a condition"),
        (("--where", "length > 3 us) or (length < 1 us"), "not a condition"),
        (("--where", "comment = salt"), "a text is written in quotes"),
        (("--since", "soon"), "not a time"),
        (("--state", "done"), "'finished'"),
    ],
)
def test_what_is_looked_for_has_to_make_sense(
    shell: Shell, arguments: tuple[str, ...], message: str
) -> None:
    shell.run("find", *arguments)
    assert shell.code == (1 if arguments[0] == "--where" else 2)  # as `shots` and `plot` end
    assert message in shell.error


# du and info


def test_du_tells_what_takes_the_space(shell: Shell, lab: HDF5StorageManager) -> None:
    with lab.session() as session:
        session.paths.delete_path(path(RAMSEY), delete_sequences=True)
    [entry] = lab.trash.entries()
    content = shell.json("du")
    assert content["size"] == size_of(lab)
    assert content["trash"] == entry.size
    assert content["inside"] == {
        "\\2026": size_of(lab, "2026"),
        "\\drafts": size_of(lab, "drafts"),
        "\\empty": size_of(lab, "empty"),
    }
    assert list(content["inside"]) == ["\\2026", "\\drafts", "\\empty"]
    assert "in the trash, 1 entry" in shell.run("du")
    assert shell.json("du", "2026", "--depth", "2")["inside"][RABI] == size_of(lab, "2026", "rabi")


@pytest.mark.usefixtures("store")
def test_info_counts(shell: Shell) -> None:
    content = shell.json("info")
    assert content["sequences"] == 4
    assert content["shots"] == 5
    assert content["states"] == {"draft": 1, "running": 1, "finished": 1, "crashed": 1}
    assert content["running"] == [LIVE]
    assert content["size"] > 1000
    said = shell.run("info")
    assert "4: 1 draft, 1 running, 1 finished, 1 crashed" in said


def test_info_names_who_is_writing(shell: Shell, lab: HDF5StorageManager) -> None:
    assert shell.json("info")["writing"] is False
    with lab.session(write=True):
        content = shell.json("info")
        assert content["writing"] is True
        assert content["writer"]["process"] == os.getpid()
        assert f"process {os.getpid()} (" in shell.run("info")


# Everywhere


@pytest.mark.parametrize("arguments", [("ls",), ("tree",), ("find",), ("info",), ("tag",)])
@pytest.mark.parametrize("kind", ["lab", "sqlite:///lab.db"])
def test_an_empty_store_is_not_a_problem(
    shell: Shell, arguments: tuple[str, ...], kind: str
) -> None:
    shell.run("init", kind)
    assert shell.run(*arguments, "--store", kind)
    assert (shell.code, shell.error) == (0, "")


def test_what_was_copied_out_of_a_store_is_looked_at(shell: Shell, lab: HDF5StorageManager) -> None:
    for place in ("2026", "2026/rabi"):
        store = str(lab.root / "sequences" / place)
        files = sorted((lab.root / "sequences").rglob("*"))
        assert "copied out of a store" in shell.run("info", "--store", store)
        for command in ("ls", "tree", "du", "find"):
            assert "rabi" in shell.run(command, "--store", store)
            assert shell.code == 0
        assert sorted((lab.root / "sequences").rglob("*")) == files
        assert "3 shots" in shell.run("show", "rabi", "--store", store)


@pytest.mark.usefixtures("database")
def test_what_only_files_have_is_not_asked_of_a_database(shell: Shell) -> None:
    for command in (("du",), ("verify",), ("trash", "list")):
        shell.run(*command)
        assert shell.code == 1
        assert "stores of files only" in shell.error


@pytest.mark.parametrize(
    ("name", "found", "hint"),
    [
        ("nowhere", "does not exist", ""),
        ("lab/shotstore.json", "is a file", ""),
        ("lab.db", "is a file", "sqlite:///lab.db"),
        ("none.db", "does not exist", "sqlite:///none.db"),
        ("sqlite:lab.db", "does not exist", "sqlite:///lab.db"),
    ],
)
@pytest.mark.parametrize("command", ["ls", "verify", "du", "tag"])
@pytest.mark.usefixtures("lab", "database")
def test_what_is_not_a_store_is_said(
    shell: Shell, command: str, name: str, found: str, hint: str
) -> None:
    shell.run(command, "--store", name)
    assert shell.code == 1
    assert f"{name} {found}, and a store is a directory." in shell.error
    assert (f"URL: {hint}\n" if hint else "directory.\n") in shell.error


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("export", "2026/rabi", "-o", "lab/shotstore.json", "--to", "csv"), "pass --force to"),
        (("export", "2026/rabi", "-o", "a.png"), "pass --to png -o a."),
        (("export", "2026/rabi", "-o", "a.csv", "--to", "npz"), "leave --to out"),
        (("plot", "2026/rabi", "-y", "frame", "-o", "a.png"), ": --image frame draws it"),
        (("copy", "lab", "lab.db"), ""),
        (("copy", "lab", "sqlite:///lab.db"), "pass --existing skip;"),
        (("ls", "--store", "sqlite:///none.db"), "run `shotstore upgrade URL`."),
        (("recover", "2026/nothing", "--store", "lab"), "check its spelling."),
        (("recover", "2026", "--store", "lab"), "`shotstore ls` names those inside it."),
    ],
)
def test_remedies_are_said_as_they_are_typed(
    shell: Shell, database: SQLiteStorageManager, arguments: tuple[str, ...], remedy: str
) -> None:
    del database
    shell.run(*arguments)
    assert shell.code == 1
    assert remedy in shell.error
    for python in ("=", "()", "force (", "plot_image", "Manager", "Python", "get_"):
        assert python not in shell.error


@pytest.mark.usefixtures("lab")
def test_a_misspelt_path_is_answered_with_the_closest(shell: Shell) -> None:
    for typed, closest in {"2026/raby": RABI, "ramsey": RAMSEY, "2062": "\\2026"}.items():
        for command in ("ls", "tree", "show", "shots", "tag", "rm", "du"):
            assert shell.run(command, typed) == ""
            assert shell.code == 1
            assert shell.error.endswith(f"The closest one is {closest}\n")


@pytest.mark.usefixtures("lab")
def test_a_reader_that_goes_away_is_not_an_error() -> None:
    command = [sys.executable, "-m", "shotstore", "ls", "--recursive"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_an_unfinished_database_is_said(shell: Shell, database: SQLiteStorageManager) -> None:
    del database
    shell.run("ls", "--store", "sqlite:///none.db")
    assert shell.code == 1
    assert shell.error.count("\n") == 1


def test_json_is_printed_in_any_script(shell: Shell, store: StorageManager) -> None:
    with store.session() as session:
        session.sequences.set_note(path(RABI), "Übergang bei 780 nm, 原子")
    text = shell.run("ls", "2026", "--json")
    assert "原子" in text
    assert json.loads(text)[-1]["note"].endswith("原子")


def test_what_is_not_shown_is_listed_with_the_reason(
    storage: HDF5StorageManager, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOTSTORE", str(storage.root))
    monkeypatch.setenv("COLUMNS", "200")
    with storage.session() as session:
        create(session, path(r"\folder\rabi"))
        create(session, path(r"\folder\ramsey"))
    folder = storage.root / "sequences" / "folder"
    (folder / "ramsey").rename(folder / "10:30")
    (folder / "lost+found").mkdir()
    with ordinary_user(storage.root), mode(folder / "lost+found", 0):
        for arguments in (("ls", "folder"), ("tree",)):
            shown = shell.run(*arguments).splitlines()
            assert shell.code == 0
            [renamed] = [line for line in shown if "10:30" in line]
            assert "not shown" in renamed
            assert "'10%3A30'" in renamed
            [lost] = [line for line in shown if "lost+found" in line]
            assert "unreadable" in lost
            assert "it cannot be read: Permission denied" in lost
        found = shell.json("ls", "folder")
        assert [each["kind"] for each in found] == ["sequence", "unseen", "unseen"]
    assert r"\folder\10:30" in shell.run("ls", "--recursive")
