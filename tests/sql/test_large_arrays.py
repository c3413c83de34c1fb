"""Arrays that do not fit into one row."""

import numpy as np
import pytest

from shotstore import DamagedStorageError
from shotstore.sql import SQLStorageManager, values
from shotstore.sql.tables import arrays
from shotstore.sql.transaction import Transaction
from shotstore.testing import exactly_equal
from shotstore.testing.experiments import PATH, launch, record


def test_an_array_in_many_parts_comes_back(
    storage: SQLStorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "LARGEST_PART", 1000)
    data = {
        "a": np.arange(10_001, dtype=">f8").reshape(73, 137),
        "b": np.arange(125, dtype="<f8"),  # exactly one part
        "c": np.asfortranarray(np.arange(6000, dtype="u2").reshape(60, 100)),
        "d": np.zeros((0, 5)),
    }
    with storage.session() as session:
        launch(session)
        record(session, data=data)
    with storage.session() as session:
        assert exactly_equal(session.sequences.get_all_shot_data(PATH, 0), data)
        found = session.sequences.get_shot_data_by_labels(PATH, 0, ["c", "a"])
        assert exactly_equal(found, {"c": data["c"], "a": data["a"]})
        assert isinstance(found["a"], np.ndarray)
        found["a"][0, 0] = -1  # it belongs to the caller


def test_a_part_that_is_missing_is_told(
    storage: SQLStorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "LARGEST_PART", 1000)
    with storage.session() as session:
        launch(session)
        record(session, data={"a": np.zeros(1000), "b": 1})
    with storage.session(write=True) as session:
        transaction = session._records_().transaction
        assert isinstance(transaction, Transaction)
        transaction.write(
            lambda: transaction.connection.execute(arrays.delete().where(arrays.c.part == 3))
        )
    with storage.session() as session:
        with pytest.raises(DamagedStorageError, match="shot 0 of sequence"):
            session.sequences.get_all_shot_data(PATH, 0)
        assert session.sequences.get_shot_data_by_labels(PATH, 0, ["b"]) == {"b": 1}
