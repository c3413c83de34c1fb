"""Any name of a path becomes one directory inside the root, and comes back exactly."""

import ast
import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from shotstore import InvalidPathFormatError, PureSequencePath, StorageError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.names import directory_name, document_name, hdf5_name, path_name
from shotstore.testing.content import content, reopened
from shotstore.testing.experiments import PATH, create, finish, launch, path, record
from shotstore.testing.lab import CameraConfiguration
from shotstore.testing.strategies import characters

ROOT = PureSequencePath.root()
PUNCTUATION = r"""_.,;*'"`()[]{}+-/=!@#$%^&~<>?|"""
NOTABLE = [
    ".",
    "..",
    "...",
    ".hidden",
    ".shotstore",
    "-",
    "~",
    "CON",
    "con",
    "Con.txt",
    "CON ",
    "nul.",
    "COM1",
    "com\u00b9",
    "lpt9.h5",
    "conin$",
    "aux.tar.gz",
    "console",
    "a/b",
    "../../etc/passwd",
    "/",
    "//",
    "%",
    "%2F",
    "%2f",
    "%%",
    "50%",
    "\u00e9",
    "e\u0301",
    "E\u0301\u0327",
    "\u212b",
    "\u00c5",
    "A\u030a",
    "\u1100\u1161",
    "\uac00",
    "\ufb01",
    "\u0130",
    "\u03a9",
    "\u2126",
    "日本語",
    "שלום",
    "نص",
    "\U0001d4b3",
    "a ",
    "a  ",
    "a.",
    "a. .",
    "a .",
    "sequence.json",
    "SEQUENCE.JSON",
    "Folder.json",
    "shots.h5",
    "shots.h5.",
    "x" * 255,
    "%" * 85,
    "\u00e9" * 42,
    '*?"<>|',
    "a*b",
]

names = st.text(
    st.one_of(
        st.sampled_from(PUNCTUATION + " "),
        st.characters(categories=["L", "M", "N", "P", "S"]),
        st.sampled_from("aA.% /\u0301\u00e9e\u1100\u1161"),
    ),
    min_size=1,
    max_size=20,
).filter(PureSequencePath.is_valid_name)
any_names = st.one_of(st.sampled_from(NOTABLE), names)
_forbidden_on_windows = set('<>:"/\\|?*') | {chr(code) for code in range(32)}
_reserved_on_windows = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"
}


@given(any_names)
def test_a_directory_name_can_be_held_anywhere(name: str) -> None:
    directory = directory_name(name)
    assert directory not in ("", ".", "..")
    assert not directory.startswith(".")
    assert not directory.endswith((".", " "))
    assert not _forbidden_on_windows & set(directory)
    assert directory.split(".")[0].rstrip().lower() not in _reserved_on_windows
    assert directory.lower() not in ("sequence.json", "folder.json", "shots.h5")
    assert len(directory.encode()) <= 255


@given(any_names)
def test_a_directory_name_is_the_same_in_every_unicode_form(name: str) -> None:
    directory = directory_name(name)
    assert unicodedata.normalize("NFC", directory) == directory
    assert path_name(directory) == name
    assert path_name(unicodedata.normalize("NFD", directory)) == name


@given(any_names)
def test_a_name_comes_back_from_its_directory(name: str) -> None:
    assert path_name(directory_name(name)) == name


@given(any_names, any_names)
def test_two_names_never_share_a_directory(one: str, other: str) -> None:
    assume(one != other)
    assert directory_name(one) != directory_name(other)


@given(st.text(characters, max_size=20))
@example("%2f")
@example("%2F%")
@example("%FF")
@example("a%20b")
@example("e\u0301")
@example("CON")
@example(".shotstore")
@example("")
def test_a_directory_of_somebody_else_is_no_path(directory: str) -> None:
    name = path_name(directory)
    assert name is None or directory_name(name) == unicodedata.normalize("NFC", directory)


@given(st.text(st.sampled_from("%2Ff.eE9a"), max_size=12))
def test_decoding_is_the_exact_inverse_of_encoding(directory: str) -> None:
    name = path_name(directory)
    assert name is None or directory_name(name) == directory


def test_ordinary_names_are_themselves() -> None:
    for name in (
        "rabi",
        "2026",
        "evaporation again",
        "a-b_c (2), d'e",
        "Rb87 + K40 @ 10 MHz",
        "日本",
        "verdampfung größer",
        "30 µm",
        "±10 MHz",
        "Ångström",
        "한국어",
    ):
        assert directory_name(name) == name


def test_a_name_is_too_long_by_its_bytes_on_the_disk() -> None:
    assert directory_name("x" * 255)
    for name in ("x" * 256, "%" * 86, "é" * 128, "x" * 254 + "日"):
        with pytest.raises(InvalidPathFormatError, match="bytes"):
            directory_name(name)


@given(st.text(characters, min_size=1, max_size=20))
def test_a_label_becomes_one_name_inside_hdf5(label: str) -> None:
    name = hdf5_name(label)
    assert name.strip(".")
    assert not set("/#\0") & set(name)


@given(st.text(characters, min_size=1, max_size=6), st.text(characters, min_size=1, max_size=6))
@example(".", "%2E")
@example("/", "%2F")
@example("%", "%25")
def test_two_labels_never_share_a_name(one: str, other: str) -> None:
    assume(one != other)
    assert hdf5_name(one) != hdf5_name(other)


@given(st.text(characters, min_size=1, max_size=20))
def test_the_document_of_a_device_is_one_json_file(name: str) -> None:
    document = document_name(name)
    assert document.endswith(".json")
    assert "/" not in document
    assert not document.startswith(".")
    assert path_name(document.removesuffix(".json")) == name


def directories(root: Path) -> list[tuple[str, ...]]:
    """All directories of the tree, and nothing else in the store or beside it that is new."""
    sequences = root / "sequences"
    return sorted(
        Path(found).relative_to(sequences).parts
        for found, _, _ in os.walk(sequences)
        if Path(found) != sequences
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(any_names, min_size=1, max_size=5, unique=True))
def test_names_stay_inside_the_root_and_come_back(
    storage: HDF5StorageManager, names: list[str]
) -> None:
    _check_on_disk(storage, names)


def test_notable_names_stay_inside_the_root_and_come_back(storage: HDF5StorageManager) -> None:
    _check_on_disk(storage, NOTABLE)


def _check_on_disk(storage: HDF5StorageManager, names: list[str]) -> None:
    beside = {entry.name for entry in storage.root.parent.iterdir()}
    inside = {entry.name for entry in storage.root.iterdir()}
    first = ROOT / names[0]
    # In folders of their own: those that differ in case only are refused beside each other.
    above = [first / str(number) for number in range(len(names))]
    folders = {place / name for place, name in zip(above, names, strict=True)}
    with storage.session() as session:
        for folder in folders:
            session.paths.create_path(folder)
    with reopened(storage).session() as session:
        assert session.paths.get_all_paths() == {first, *above, *folders}
        assert session.paths.get_children(first) == {*above}
        for folder in folders:
            assert session.paths.does_path_exists(folder)
    encoded: list[tuple[str, ...]] = [(directory_name(names[0]),)]
    for number, name in enumerate(names):
        encoded.append((directory_name(names[0]), str(number)))
        encoded.append((directory_name(names[0]), str(number), directory_name(name)))
    assert directories(storage.root) == sorted(encoded)
    assert {entry.name for entry in storage.root.parent.iterdir()} == beside
    assert {entry.name for entry in storage.root.iterdir()} == inside
    with storage.session() as session:
        session.paths.delete_path(first)


def test_directories_of_others_are_ignored(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        create(session, path(r"\folder\rabi"))
    others = [
        "%2f",
        "%FF",
        "50%",
        "E\u0301\u0327",
        "CON",
        ".hidden",
        "a.",
        "a ",
        " a",
        "a:b",
        "a\nb",
        "\udcff",
    ]
    for above in ("", "folder", "folder/rabi"):
        for name in others:
            (storage.root / "sequences" / above / name / "deeper").mkdir(parents=True)
    link = storage.root / "sequences" / "link"
    link.symlink_to(storage.root.parent, target_is_directory=True)
    (storage.root / "sequences" / "a file").write_text("somebody's")
    with reopened(storage).session() as session:
        assert session.paths.get_all_paths() == {path(r"\folder"), path(r"\folder\rabi")}
        assert not session.paths.does_path_exists(path(r"\link"))


def test_a_sequence_that_was_renamed_in_a_file_manager_has_the_new_name(
    storage: HDF5StorageManager,
) -> None:
    with storage.session() as session:
        create(session, path(r"\folder\evaporation"))
    folder = storage.root / "sequences" / "folder"
    (folder / "evaporation").rename(folder / "verdampfung größer")
    with storage.session() as session:
        assert session.sequences.is_sequence(path(r"\folder\verdampfung größer"))
    assert storage.verify().findings == []


def test_a_tree_that_macos_has_decomposed_is_read_and_written_where_it_lies(
    storage: HDF5StorageManager,
) -> None:
    folder, run = path(r"\größer"), path(r"\größer\ramsé")
    with storage.session() as session:
        launch(session, run)
        record(session, run)
        session.default_device_configurations["kamera süd"] = CameraConfiguration(1.0)
    for found in sorted(storage.root.rglob("*"), reverse=True):
        found.rename(found.with_name(unicodedata.normalize("NFD", found.name)))
    opened = reopened(storage)
    place = storage.root.joinpath(
        "sequences", *(unicodedata.normalize("NFD", name) for name in run.parts)
    )
    assert opened.get_directory(run) == place
    with opened.session() as session:
        assert session.paths.get_all_paths() == {folder, run}
        record(session, run, index=1)
        session.paths.update_creation_date(folder, session.paths.get_path_creation_date(run))
        session.paths.create_path(folder / "später")
        launch(session, folder / "neu")
        assert session.default_device_configurations["kamera süd"] == CameraConfiguration(1.0)
        session.default_device_configurations["kamera süd"] = CameraConfiguration(2.0)
    with reopened(storage).session() as session:
        assert session.paths.does_path_exists(run)
        assert session.paths.get_all_paths() == {folder, run, folder / "später", folder / "neu"}
        assert [shot.index for shot in session.sequences.get_shots(run)] == [0, 1]
        assert dict(session.default_device_configurations) == {
            "kamera süd": CameraConfiguration(2.0)
        }
        finish(session, run)
        session.paths.move(run, path(r"\gekürzt"))
    assert reopened(storage).verify().findings == []
    assert len([*(storage.root / "sequences").iterdir()]) == 2


@pytest.mark.parametrize(
    ("directory", "better"),
    [
        ("gr%C3%B6%C3%9Fer", "größer"),
        ("50%", "50%25"),
        ("10:30 run", "10%3A30 run"),
        (" rabi", "rabi"),
        ("rabi.", "rabi"),
        ("con", "%63on"),
        ("a\nb", "a_b"),
        ("\udcff", "_"),
        ("E\u0301\u0327", None),
        ("taken.", "taken 2"),
    ],
)
def test_a_directory_that_is_no_path_is_shown_with_what_to_rename_it_to(
    storage: HDF5StorageManager, directory: str, better: str | None
) -> None:
    with storage.session() as session:
        create(session, path(r"\folder\taken"))
        create(session, path(r"\folder\run"))
        create(session, path(r"\folder\lost\inside"))
    folder = storage.root / "sequences" / "folder"
    for name in ("run", "lost"):
        (folder / name).rename(folder / directory)
        [unseen] = storage.get_unseen()
        assert unseen.directory == folder / directory
        [finding] = storage.verify().findings
        assert (finding.severity, finding.file) == ("damage", folder / directory)
        if better is not None:
            assert repr(better) in finding.remedy
            assert repr(better) in unseen.why
        renamed = finding.remedy.removeprefix("Rename the directory to ").removesuffix(".")
        (folder / directory).rename(folder / ast.literal_eval(renamed))
        assert storage.verify().findings == []
        assert storage.get_unseen() == []
        shutil.rmtree(folder / ast.literal_eval(renamed))


def test_the_newer_form_of_a_name_counts_where_both_lie_beside_each_other(
    storage: HDF5StorageManager,
) -> None:
    with storage.session() as session:
        create(session, path(r"\größer"))
    tree = storage.root / "sequences"
    shutil.copytree(tree / "größer", tree / unicodedata.normalize("NFD", "größer"))
    with storage.session() as session:
        assert session.paths.get_all_paths() == {path(r"\größer")}
    assert storage.get_directory(r"\größer") == tree / "größer"
    [unseen] = storage.get_unseen()
    assert unseen.directory == tree / unicodedata.normalize("NFD", "größer")
    assert "'größer 2'" in unseen.why


def test_a_store_without_its_marker_is_recognised(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        create(session)
    marker = storage.root / "shotstore.json"
    content = marker.read_bytes()
    marker.unlink()
    for read_only in (False, True):
        with pytest.raises(StorageError, match=r"no shotstore.json, which was lost"):
            HDF5StorageManager(storage.root, read_only=read_only)
    tree = HDF5StorageManager(storage.root / "sequences", read_only=True)
    with tree.session() as session:
        assert session.sequences.is_sequence(PATH)
    HDF5StorageManager(storage.root.parent / "new").root.joinpath("shotstore.json").rename(marker)
    with reopened(storage).session() as session:
        assert session.sequences.is_sequence(PATH)
    marker.write_bytes(content)


def test_a_file_or_link_of_somebody_else_is_not_overwritten(storage: HDF5StorageManager) -> None:
    theirs = storage.root / "sequences" / "taken"
    theirs.write_text("somebody's")
    link = storage.root / "sequences" / "link"
    link.symlink_to(storage.root / "nowhere")
    with storage.session() as session:
        for name in ("taken", "link"):
            with pytest.raises(RuntimeError, match="in the way"):
                session.paths.create_path(ROOT / name)
            with pytest.raises(RuntimeError, match="in the way"):
                session.paths.create_path(ROOT / name / "deeper")
            with pytest.raises(RuntimeError, match="in the way"):
                create(session, ROOT / name)
        create(session, path(r"\other"))
    assert theirs.read_text() == "somebody's"
    assert link.is_symlink()


def test_a_device_name_too_long_for_a_file_is_refused(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        for name in ("%" * 100, ":" * 90):
            with pytest.raises(ValueError, match="bytes on the disk"):
                session.default_device_configurations[name] = CameraConfiguration(1.0)


def test_a_label_too_long_for_hdf5_is_refused(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        with pytest.raises(ValueError, match="bytes in an HDF5 file"):
            record(session, data={"good": np.ones(3), "x" * 10_000_000: 1})
        assert session.sequences.get_shots(PATH) == []


def test_a_path_the_file_system_cannot_hold_is_refused(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\a\b"))
        before = content(session)
        for too_long in (
            PureSequencePath.root() / ("x" * 5000),
            PureSequencePath.from_parts(["x" * 200] * 40),
        ):
            with pytest.raises(InvalidPathFormatError):
                session.paths.create_path(too_long)
            with pytest.raises(InvalidPathFormatError):
                create(session, too_long)
            with pytest.raises(InvalidPathFormatError):
                session.paths.move(path(r"\a"), too_long)
        assert content(session) == before
    with storage.session() as session:
        assert content(session) == before


def test_a_move_is_refused_where_something_inside_would_get_too_long_a_path(
    storage: HDF5StorageManager,
) -> None:
    deep = PureSequencePath.from_parts(["a", *["x" * 200] * 15])
    with storage.session() as session:
        create(session, deep)
    with storage.session() as session:
        before = content(session)
        with pytest.raises(InvalidPathFormatError):
            session.paths.move(path(r"\a"), PureSequencePath.from_parts(["y" * 200] * 8))
        assert content(session) == before
