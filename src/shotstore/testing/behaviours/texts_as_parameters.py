"""A parameter may be a text: it comes back, is a column, is compared, and sequences are found by
it."""

from typing import Any

import numpy as np
import pytest

from shotstore import IncompatibleUnitsError, Sequence, StorageManager
from shotstore.model import (
    ExecuteShot,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    ParameterType,
    StepsConfiguration,
    TimeLanes,
    ValuesLoop,
    VariableDeclaration,
    quantity,
)
from shotstore.testing.content import reopened
from shotstore.testing.experiments import DEVICES, PATH, launch, path, record
from shotstore.testing.round_trips import Shots, assert_comes_back

TEXTS = ["Rb87", "", " ", "é\0", "\0", "10 MHz", "'", "'\"", "x" * 17, "ü" * 5000, "True"]
RECIPE = StepsConfiguration(
    [
        VariableDeclaration("laser", "'repump'"),
        ValuesLoop("mot.species", ["'Rb87'", "'K40'"], [ExecuteShot(), ExecuteShot()]),
    ]
)


@pytest.mark.parametrize("each", [True, False])
def test_texts_of_one_parameter_come_back(storage: StorageManager, each: bool) -> None:
    shots: Shots = [({"p": text, "q": 1}, {}) for text in TEXTS + TEXTS[::-2]]
    assert_comes_back(storage, shots, each=each)


def test_a_parameter_may_be_a_text_here_and_a_number_there(storage: StorageManager) -> None:
    values: list[Parameter] = ["Rb87", 1, quantity(2.5, "MHz"), "1", True, "Rb87", 2**70]
    assert_comes_back(storage, [({"p": value}, {}) for value in values])
    with storage.session() as session:
        assert session.sequences.get_parameter_schema(PATH) == {"p": ParameterType("text")}
        with pytest.raises(IncompatibleUnitsError, match="p is a text and a number in different"):
            session.sequences.get_columns(PATH, parameters=["p"])
        assert session.sequences.get_columns(PATH, parameters=["p"], rows=[0, 3]).parameters[
            "p"
        ].values.tolist() == ["Rb87", "1"]


def test_a_text_that_needs_no_expression_is_not_taken_for_one(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, parameters={"p": np.str_("2 MHz"), "q": "'a'"})
    with storage.session() as session:
        found = session.sequences.get_shot_parameters(PATH, 0)
        assert found == {"p": "2 MHz", "q": "'a'"}
        assert type(found["p"]) is str


def test_texts_are_a_column_with_gaps(storage: StorageManager) -> None:
    shots: list[dict[str, Parameter]] = [{"p": "b"}, {}, {"p": "a\0"}, {"p": "c" * 100}]
    with storage.session() as session:
        launch(session)
        for index, parameters in enumerate(shots):
            record(session, index=index, parameters=parameters)
    with reopened(storage).session() as session:
        assert session.sequences.get_parameter_schema(PATH) == ParameterSchema.of({"p": ""})
        column = session.sequences.get_columns(PATH, parameters=["p"]).parameters["p"]
        assert column.values.tolist() == ["b", None, "a\0", "c" * 100]
        assert column.is_present.tolist() == [True, False, True, True]


def test_a_recipe_gives_shots_texts(storage: StorageManager) -> None:
    globals_ = ParameterNamespace.from_mapping({"operator": '"O\'Neill"', "copy": "operator"})
    with storage.session() as session:
        session.sequences.create(PATH, RECIPE, TimeLanes.empty())
        session.set_global_parameters(globals_)
        assert session.sequences.get_parameter_schema(PATH)["mot.species"].type == "text"
        session.sequences.set_preparing(PATH, DEVICES, globals_)
        session.sequences.set_running(PATH, "now")
        for index, parameters in enumerate(RECIPE.walk(globals_.evaluate())):
            record(session, index=index, parameters=parameters)
    with reopened(storage).session() as session:
        sequence = Sequence(PATH, session)
        found = [shot.get_parameters() for shot in sequence]
        assert [shot["mot.species"] for shot in found] == ["Rb87", "Rb87", "K40", "K40"]
        assert found[0]["operator"] == found[0]["copy"] == "O'Neill"
        [summary] = session.sequences.get_summaries(PATH)
        assert summary.varied["mot.species"].texts == ("Rb87", "K40")
        assert str(summary.varied["mot.species"]) == "'Rb87', 'K40' (2 values)"
        assert str(summary.declared["laser"]) == "'repump'"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("species = 'Rb87'", [r"\loop", r"\set"]),
        ("species == \"K40\" and laser = 'repump'", [r"\loop"]),
        ("species != 'Rb87'", [r"\loop", r"\shots"]),
        ("not species = 'K40'", [r"\loop", r"\set"]),
        ("'K' <= species < 'L'", [r"\loop", r"\shots"]),
        ("species = 'rb87'", []),
        ("species > 'Z' or species = 'Rb87'", [r"\loop", r"\set"]),
        ({"species": "'Rb87'"}, [r"\loop", r"\set"]),
        ({"species": ("'A'", "'L'")}, [r"\loop", r"\shots"]),
    ],
)
def test_sequences_are_found_by_their_texts(
    storage: StorageManager, where: Any, expected: list[str]
) -> None:
    declaration = StepsConfiguration([VariableDeclaration("species", "'Rb87'"), ExecuteShot()])
    with storage.session() as session:
        session.sequences.create(path(r"\loop"), RECIPE, TimeLanes.empty())
        session.sequences.create(path(r"\set"), declaration, TimeLanes.empty())
        launch(session, path(r"\shots"))
        record(session, path(r"\shots"), parameters={"species": "K40"})
    assert sorted(str(found.path) for found in storage.find(where=where)) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("species > 3", "species of .* is a text: look for one in quotes, like species = 'Rb87'"),
        ("species = K", "is a text: look for one in quotes"),
        ("laser_power = 'Rb87'", "laser_power of .* is in mW"),
    ],
)
def test_a_text_that_is_looked_for_as_a_number_is_told(
    storage: StorageManager, where: str, message: str
) -> None:
    steps = [VariableDeclaration("laser_power", "3 mW"), *RECIPE.steps]
    with storage.session() as session:
        session.sequences.create(PATH, StepsConfiguration(steps), TimeLanes.empty())
    with pytest.raises(IncompatibleUnitsError, match=message):
        storage.find(where=where)
