"""Shots are recorded, and compared with what is read."""

from collections.abc import Mapping

from shotstore import ExperimentSession, PureSequencePath, StorageManager
from shotstore.model import Data, Parameter
from shotstore.testing.content import reopened
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import PATH, launch, record

Shots = list[tuple[Mapping[str, Parameter], Mapping[str, Data]]]


def assert_comes_back(
    storage: StorageManager, shots: Shots, *, path: PureSequencePath = PATH, each: bool = True
) -> None:
    """Record the shots, each in a session of its own or all in one, and compare what is read."""
    numbered = list(enumerate(shots))
    with storage.session() as session:
        launch(session, path, shots=None)
    for part in [[shot] for shot in numbered] if each else [numbered]:
        with storage.session() as session:
            for index, (parameters, data) in part:
                record(session, path, index, parameters, data)
            assert_holds(session, path, shots[: part[-1][0] + 1] if part else [])
    with reopened(storage).session() as session:
        assert_holds(session, path, shots)


def assert_holds(session: ExperimentSession, path: PureSequencePath, shots: Shots) -> None:
    """Compare all that a session says of the shots of a sequence."""
    assert [shot.index for shot in session.sequences.get_shots(path)] == list(range(len(shots)))
    for index, (parameters, data) in reversed(list(enumerate(shots))):
        stored = session.sequences.get_shot_parameters(path, index)
        assert exactly_equal(by_name(stored), by_name(parameters))
        found = session.sequences.get_all_shot_data(path, index)
        assert exactly_equal(by_name(found), by_name(data))
        for label, value in list(data.items())[:10]:
            one = session.sequences.get_shot_data_by_labels(path, index, [label])
            assert exactly_equal(one, {label: value})


def by_name(values: Mapping[str, object]) -> dict[str, object]:
    """The values in an order of their own: that of a storage is not promised."""
    return dict(sorted(values.items()))
