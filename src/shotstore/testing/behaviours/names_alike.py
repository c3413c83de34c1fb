"""Names that differ in upper and lower case only are not created beside each other."""

import re
from collections.abc import Callable

import pytest

from shotstore import ExperimentSession, PathExistsError, PureSequencePath, StorageManager
from shotstore.testing.content import refused, reopened
from shotstore.testing.experiments import create, launch, path, record

_ROOT = PureSequencePath.root()
_PAIRS = [
    ("Rb", "rb"),
    ("RABI", "rabi"),
    ("größer", "GRÖSSER"),
    ("ΔΣ", "δς"),
    ("\N{LATIN SMALL LETTER E WITH ACUTE}", "E\N{COMBINING ACUTE ACCENT}"),
    ("K", "\N{KELVIN SIGN}"),
]
_WAYS: dict[str, Callable[[ExperimentSession, PureSequencePath], object]] = {
    "a folder": lambda session, place: session.paths.create_path(place),
    "a folder with others": lambda session, place: session.paths.create_path(place / "a" / "b"),
    "a sequence": create,
    "a sequence inside": lambda session, place: create(session, place / "a"),
    "a move": lambda session, place: session.paths.move(path(r"\other"), place),
    "a move inside": lambda session, place: session.paths.move(path(r"\other"), place / "a"),
}


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize(("there", "alike"), _PAIRS)
def test_a_name_that_differs_in_case_only_is_refused(
    storage: StorageManager, way: str, there: str, alike: str
) -> None:
    with storage.session() as session:
        session.paths.create_path(_ROOT / there / "inside")
        session.paths.create_path(path(r"\other"))
        with refused(session, PathExistsError, re.escape(str(_ROOT / there))):
            _WAYS[way](session, _ROOT / alike)
    with reopened(storage).session() as session, refused(session, PathExistsError):
        _WAYS[way](session, _ROOT / alike)


def test_the_same_names_are_told_apart_where_they_are_looked_for(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, path(r"\a\Rb"))
        create(session, path(r"\b\rb"))
        assert session.paths.get_children(path(r"\a")) == {path(r"\a\Rb")}
        assert session.paths.get_children(path(r"\b")) == {path(r"\b\rb")}


def test_the_case_of_a_name_can_be_changed(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session, path(r"\Rb\scan"))
        record(session, path(r"\Rb\scan"))
        session.sequences.set_finished(path(r"\Rb\scan"), "now")
    with storage.session() as session:
        session.paths.move(path(r"\Rb"), path(r"\rb"))
        session.paths.move(path(r"\rb\scan"), path(r"\rb\SCAN"))
    with reopened(storage).session() as session:
        assert session.paths.get_all_paths() == {path(r"\rb"), path(r"\rb\SCAN")}
        assert len(session.sequences.get_shots(path(r"\rb\SCAN"))) == 1


def test_a_name_is_free_again_where_the_other_one_is_gone(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\a\Rb"))
        session.paths.create_path(path(r"\b\Rb"))
    with storage.session() as session:
        session.paths.delete_path(path(r"\a\Rb"))
        session.paths.create_path(path(r"\a\rb"))
        session.paths.move(path(r"\b\Rb"), path(r"\c"))
        session.paths.create_path(path(r"\b\rb"))
    with reopened(storage).session() as session:
        expected = {path(text) for text in (r"\a", r"\a\rb", r"\b", r"\b\rb", r"\c")}
        assert session.paths.get_all_paths() == expected


def test_a_sequence_that_is_there_is_said_to_exist(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, path(r"\2026\rabi"))
        for text in (r"\2026\rabi", "2026/rabi"):
            with pytest.raises(RuntimeError, match=r"\\2026\\rabi exists already.*'rabi_2'"):
                create(session, path(text))
