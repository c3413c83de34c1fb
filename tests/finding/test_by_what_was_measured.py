"""Sequences are found by what was measured, which their records keep once they have ended."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from shotstore import IncompatibleUnitsError, InvalidConditionError, State, StorageManager
from shotstore.analysis.finding.unknown_names import unknown_names
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.memory import InMemoryStorageManager
from shotstore.model import Data, ParameterRange, quantity
from shotstore.records.measured import check_measured
from shotstore.testing import serializer
from shotstore.testing.experiments import ENTER, PATH, STOP, bring_to, launch, path, record
from tests.finding.test_find import DETUNING, FINE, HOLD, NOT_BEGUN, RELATIVE, found


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("atom_number > 8", [DETUNING, HOLD]),
        ("atom_number >= 20", [DETUNING]),
        ("atom_number > 20", []),
        ("1.5 < atom_number < 3", [DETUNING, FINE, HOLD]),
        ("atom_number > 8 and hold_time > 0.5 s", [HOLD]),
        ("atom_number = 1", [DETUNING, FINE, HOLD, RELATIVE]),
        ({"atom_number": (15, None)}, [DETUNING]),
    ],
)
def test_the_ranges_of_values_are_compared(
    lab: StorageManager, where: Any, expected: list[str]
) -> None:
    assert found(lab, where=where) == expected


def ended(storage: StorageManager, *data: Data, label: str = "x") -> None:
    with storage.session() as session:
        launch(session, shots=None)
        for index, value in enumerate(data):
            record(session, index=index, data={label: value})
        session.sequences.set_finished(PATH, STOP)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, 1, 2], (1, 3)),
        ([1.5, math.nan, -2], (-2, 1.5)),
        ([math.inf, 1.0], (1.0, 1.0)),
        ([2**70, 1], (1, 2**70)),
        ([math.nan], (None, None)),
    ],
)
def test_summaries_tell_what_was_measured(
    lab: StorageManager, values: list[Data], expected: tuple[object, object]
) -> None:
    ended(lab, *values)
    with lab.session() as session:
        (summary,) = session.sequences.get_summaries(PATH)
    assert summary.measured is not None
    assert (summary.measured["x"].first, summary.measured["x"].last) == expected


@pytest.mark.parametrize("state", [State.RUNNING, State.FINISHED])
@pytest.mark.parametrize(
    ("where", "is_found"),
    [
        ("temperature > 1500 nK", True),
        ("temperature < 0.4 uK", False),
        ("0 < temperature < 1 mK", True),
        ("temperature = 2 uK", True),
        ({"temperature": ("3 uK", None)}, False),
    ],
)
def test_what_was_measured_is_compared_in_any_unit(
    lab: StorageManager, state: State, where: Any, is_found: bool
) -> None:
    values = [quantity(2.0, "uK"), quantity(500, "nK")]
    with lab.session() as session:
        launch(session, shots=None)
        for index, value in enumerate(values):
            record(session, index=index, data={"temperature": value, "mixed": value})
        record(session, index=2, data={"mixed": 1})
        if state is State.FINISHED:
            session.sequences.set_finished(PATH, STOP)
            (summary,) = session.sequences.get_summaries(PATH)
            assert summary.measured is not None
            assert set(summary.measured) == {"temperature"}
            assert str(summary.measured["temperature"]) == "0.5 µK to 2.0 µK"
    assert found(lab, where=where) == ([str(PATH)] if is_found else [])


def test_a_number_without_a_unit_is_not_compared_with_what_has_one(lab: StorageManager) -> None:
    ended(lab, quantity(2.0, "uK"), label="temperature")
    with pytest.raises(IncompatibleUnitsError, match=r"temperature of .* is in µK"):
        lab.find(where="temperature > 1")


@pytest.mark.parametrize("ends", [[1, 2, 3], [1, 2, "m**9**9**9"], [1], [1, "m"], [1, 2, "m", "s"]])
def test_what_is_not_a_range_is_refused(ends: list[Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        check_measured({"x": ends})


def test_results_are_found(lab: StorageManager) -> None:
    def fractions() -> ParameterRange | None:
        with lab.session() as session:
            (summary,) = session.sequences.get_summaries(HOLD)
        assert summary.measured is not None
        return summary.measured.get("fraction")

    columns: dict[str, Any] = {"shot_index": [0, 1, 2], "fraction": [0.1, 0.4, 0.3]}
    with lab.session() as session:
        session.get_sequence(HOLD).set_results(columns, by="fit")
    assert found(lab, where="fraction > 0.35") == [HOLD]
    assert found(lab, where="fraction > 0.5") == []
    # The newest counts.
    with lab.session() as session:
        session.get_sequence(HOLD).get_shot(1).set_results({"fraction": 0.2}, by="fit")
    known = fractions()
    assert known is not None
    assert (known.first, known.last) == (0.1, 0.3)
    assert found(lab, where="fraction > 0.35") == []
    with lab.session() as session:
        session.get_sequence(HOLD).remove_results(["fraction"])
    assert fractions() is None
    assert found(lab, where="fraction > 0") == []


def test_results_of_a_sequence_that_runs_are_looked_at_and_kept_when_it_ends(
    lab: StorageManager,
) -> None:
    with lab.session() as session:
        record(session, path(NOT_BEGUN), 0)
        session.get_sequence(NOT_BEGUN).get_shot(0).set_results(
            {"fraction": 0.7, "kind": "bimodal"}
        )
    assert found(lab, where="fraction > 0.5") == [NOT_BEGUN]
    assert found(lab, where="kind = 'bimodal'") == [NOT_BEGUN]
    with lab.session() as session:
        session.sequences.set_interrupted(NOT_BEGUN, "now")
        (summary,) = session.sequences.get_summaries(NOT_BEGUN)
    assert summary.measured is not None
    assert summary.measured["fraction"].last == 0.7
    assert found(lab, where="fraction > 0.5") == [NOT_BEGUN]


def test_only_numbers_have_ranges(lab: StorageManager) -> None:
    with lab.session() as session:
        launch(session, shots=None)
        data: dict[str, Data] = {"text": "a", "flag": True, "list": [1], "none": None, "y": 2}
        record(session, index=0, data=data)
        session.sequences.set_finished(PATH, STOP)
        (summary,) = session.sequences.get_summaries(PATH)
    assert summary.measured is not None
    assert set(summary.measured) == {"y"}


def test_a_text_that_was_measured_is_found_in_the_shots(lab: StorageManager) -> None:
    ended(lab, "salt", "pepper", label="taste")
    assert found(lab, where="taste = 'pepper'") == [str(PATH)]
    assert found(lab, where="taste = 'sugar'") == []


def test_truth_that_was_measured_is_found_in_the_shots(lab: StorageManager) -> None:
    ended(lab, True, True, label="is_locked")
    assert found(lab, where="is_locked = true") == [str(PATH)]
    assert found(lab, where="is_locked = false") == []


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (np.zeros((2, 3)), "float64, 2 x 3"),
        ([1, 2], "lists, dicts or other data"),
        (1j, "complex128, a single one"),
    ],
)
def test_what_has_no_order_is_not_found_by_and_that_is_said(
    lab: StorageManager, value: Data, what: str
) -> None:
    ended(lab, value, label="trace")
    with pytest.raises(InvalidConditionError, match=f"trace of .* is {what}: sequences are found"):
        lab.find(where="trace > 1")
    assert found(lab, where="trace > 1 or hold_time > 0.5 s") == [HOLD]


def test_tags_of_shots_find_no_sequences_and_that_is_said(lab: StorageManager) -> None:
    ended(lab, 1)
    with pytest.raises(InvalidConditionError, match="sequences are found by tags of their own"):
        lab.find(where="not tag = 'bad'")


def test_a_label_may_be_called_tag(lab: StorageManager) -> None:
    ended(lab, "good", label="tag")
    assert found(lab, where="tag = 'good'") == [str(PATH)]
    assert found(lab, PATH, where="tag = 'bad'") == []


def test_a_sequence_that_runs_is_looked_at(lab: StorageManager) -> None:
    with lab.session() as session:
        record(session, path(NOT_BEGUN), 0, {}, {"atom_number": 1000})
        (summary,) = session.sequences.get_summaries(NOT_BEGUN)
        assert summary.measured is None
    assert found(lab, where="atom_number > 100") == [NOT_BEGUN]
    with lab.session() as session:
        session.sequences.set_interrupted(NOT_BEGUN, "now")
    assert found(lab, where="atom_number > 100") == [NOT_BEGUN]
    with lab.session() as session:
        session.sequences.resume(NOT_BEGUN)
        record(session, path(NOT_BEGUN), 1, {}, {"atom_number": 2000})
    assert found(lab, where="atom_number > 1500") == [NOT_BEGUN]
    with lab.session() as session:
        session.sequences.set_finished(NOT_BEGUN, "now")
        (summary,) = session.sequences.get_summaries(NOT_BEGUN)
    assert summary.measured is not None
    assert summary.measured["atom_number"].last == 2000


def test_shots_and_the_end_in_one_session_are_known(lab: StorageManager) -> None:
    bring_to(lab, State.RUNNING)
    with lab.session() as session:
        record(session, index=5, data={"counts": 500})
        ENTER[State.CRASHED](session)
    assert found(lab, where="counts > 400") == [str(PATH)]


def test_a_reset_forgets_what_was_measured(lab: StorageManager) -> None:
    ended(lab, 5)
    with lab.session() as session:
        session.sequences.reset_to_draft(PATH)
        (summary,) = session.sequences.get_summaries(PATH)
    assert summary.measured is None
    assert found(lab, where="x > 1") == []


def test_a_copy_knows_what_was_measured(lab: StorageManager) -> None:
    copy = InMemoryStorageManager(serializer=lab.serializer)
    copy_path(HOLD, lab, copy)
    with copy.session() as session:
        (summary,) = session.sequences.get_summaries(HOLD)
    assert summary.measured is not None
    assert summary.measured["atom_number"].last == 9


def test_a_misspelt_result_is_answered_with_the_closest(lab: StorageManager) -> None:
    ended(lab, 1, 2)
    with lab.session() as session:
        session.sequences.set_results(PATH, 0, {"fraction": 0.5})
    [sentence] = unknown_names(lab, parameters=["fractoin"])
    assert "the closest is 'fraction'" in sentence
    assert unknown_names(lab, parameters=["fraction"]) == []


def test_ranges_that_are_wrong_are_found_and_mended(tmp_path: Path) -> None:
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    ended(storage, 1, 5)
    with storage.session() as session:
        session.get_sequence(PATH).get_shot(0).set_results({"fraction": 0.4}, by="fit")
    assert storage.verify().findings == []
    document = storage.get_directory(PATH) / "sequence.json"
    text = document.read_text()
    document.write_text(text.replace("0.4", "0.2"))
    assert found(storage, where="fraction > 0.3") == []
    (finding,) = [each for each in storage.verify().findings if each.severity == "damage"]
    assert finding.file == document
    assert "from where to where" in finding.problem
    assert r"shotstore recover 2026/rabi" in finding.remedy
    assert len(storage.recover(PATH).repairs) == 1
    assert found(storage, where="fraction > 0.3") == [str(PATH)]
    assert storage.verify().findings == []
    assert storage.recover(PATH).repairs == ()


def test_a_result_is_taken_away_that_has_the_name_of_a_label_by_then(lab: StorageManager) -> None:
    bring_to(lab, State.RUNNING)
    with lab.session() as session:
        record(session, index=5, data={})
        session.sequences.set_results(PATH, 5, {"late": 1.0})
        record(session, index=6, data={"late": 50.0})
        ENTER[State.FINISHED](session)
    with lab.session() as session:
        session.sequences.remove_results(PATH, ["late"])
        (summary,) = session.sequences.get_summaries(PATH)
    assert summary.measured is not None
    assert summary.measured["late"].last == 50


def test_results_are_stored_where_earlier_ones_cannot_be_read(tmp_path: Path) -> None:
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    ended(storage, 1, 5)
    with storage.session() as session:
        session.sequences.set_results(PATH, 0, {"n": 7})
    storage.close()
    results = storage.get_directory(PATH) / "results.h5"
    with h5py.File(results) as file:
        place = file["data/n"].id.get_chunk_info(0).byte_offset
    content = bytearray(results.read_bytes())
    content[place] ^= 1
    results.write_bytes(content)
    with storage.session() as session:
        session.sequences.set_results(PATH, 1, {"n": 90.5})
    assert found(storage, where="x > 4") == [str(PATH)]
    assert storage.recover(PATH).repairs
    assert found(storage, where="n > 90") == [str(PATH)]
    assert storage.verify().findings == []


def test_a_ctrl_c_leaves_no_wrong_ranges(lab: StorageManager) -> None:
    """Whoever catches it in the session keeps what was stored."""
    ended(lab, 1, 5)
    with lab.session() as session:
        session.sequences.set_results(PATH, 0, {"fraction": 0.1})
    with lab.session() as session, pytest.MonkeyPatch.context() as patch:
        transaction = session._records_().transaction
        write = transaction.write

        def interrupted(job: Callable[[], Any]) -> Any:
            write(job)
            raise KeyboardInterrupt

        patch.setattr(transaction, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.sequences.set_results(PATH, 0, {"fraction": 0.9})
    assert found(lab, where="fraction > 0.5") == [str(PATH)]
