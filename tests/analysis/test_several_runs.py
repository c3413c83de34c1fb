"""Several sequences at once: which are meant, and what one table of them holds."""

import polars as pl
import pytest

from shotstore import PathNotFoundError, PureSequencePath, StorageManager
from shotstore.model import quantity
from shotstore.testing.experiments import START, create, finish, launch, path, record

MONDAY, TUESDAY = path(r"\2026\23\rabi"), path(r"\2026\24\rabi")
RAMSEY = path(r"\2026\24\ramsey")


@pytest.fixture
def lab(storage: StorageManager) -> StorageManager:
    """Three runs, whose hold time is in ms, in s, and in ms, and a draft beside them."""
    with storage.session() as session:
        create(session, path(r"\2026\24\draft"))
        for number, (at, unit, factor) in enumerate(
            [(TUESDAY, "s", 1), (MONDAY, "ms", 1000), (RAMSEY, "ms", 1000)]
        ):
            launch(session, at, shots=None)
            for index in (2, 0, 1):
                record(
                    session,
                    at,
                    index,
                    {"hold_time": quantity(factor * (index + 1), unit), "run": number},
                    {"atom_number": 100 * number + index, f"only_{at.name}": f"{index}"},
                )
            finish(session, at)
    return storage


def test_a_scan_takes_what_find_has_found(lab: StorageManager) -> None:
    table = lab.scan(lab.find("rabi")).collect()
    assert table["sequence"].unique(maintain_order=True).to_list() == [str(MONDAY), str(TUESDAY)]
    assert table["hold_time"].to_list() == [1000, 2000, 3000] * 2  # in ms, as the first has it


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (r"\2026\24", [TUESDAY, RAMSEY]),
        (path(r"\2026\24"), [TUESDAY, RAMSEY]),
        (r"\2026\*\rabi", [MONDAY, TUESDAY]),
        ("2026/*/ra*", [MONDAY, TUESDAY, RAMSEY]),
        ("rams?y", [RAMSEY]),
        ([RAMSEY, "2026/23/rabi", str(RAMSEY)], [MONDAY, RAMSEY]),
        ((r"\2026\23", r"\**\ramsey"), [MONDAY, RAMSEY]),
        ("\\", [MONDAY, TUESDAY, RAMSEY]),
    ],
)
def test_which_runs_are_meant(
    lab: StorageManager, asked: object, meant: list[PureSequencePath]
) -> None:
    table = lab.scan(asked).select("sequence").unique(maintain_order=True).collect()  # type: ignore[arg-type]
    assert table["sequence"].to_list() == list(map(str, meant))


def test_sequences_of_a_session_are_meant_too(lab: StorageManager) -> None:
    with lab.session() as session:
        runs = [session.get_sequence(RAMSEY), session.get_sequence(MONDAY)]
    assert lab.scan(runs).select(pl.len()).collect().item() == 6
    assert lab.scan(runs[0]).select(pl.len()).collect().item() == 3


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ([], "the list of them is empty"),
        (r"\2026\*\rahmsey", r"No sequence matches '\\2026\\\*\\rahmsey'"),
        (r"\2027\*", "No sequence matches"),
        ([str(MONDAY), r"\2026\24\raby"], r"\\2026\\24\\raby does not exist"),
    ],
)
def test_no_run_is_said(lab: StorageManager, asked: object, says: str) -> None:
    with pytest.raises(PathNotFoundError, match=says):
        lab.scan(asked)  # type: ignore[arg-type]


def test_a_misspelt_path_is_told_the_closest_one(lab: StorageManager) -> None:
    with pytest.raises(PathNotFoundError) as caught:
        lab.scan([str(MONDAY), r"\2026\24\ramsy"])
    assert caught.value.__notes__ == [rf"The closest existing sequence is {RAMSEY}"]


@pytest.mark.parametrize("asked", [7, [MONDAY, 7], None, START])
def test_what_is_not_a_run_is_refused(lab: StorageManager, asked: object) -> None:
    with pytest.raises(TypeError, match="asked for by a path, a pattern"):
        lab.scan(asked)  # type: ignore[arg-type]
