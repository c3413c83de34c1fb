"""Units of a lab are defined once for a storage, and mean the same wherever it is opened."""

from typing import Any

import pint
import pytest

from shotstore import StorageManager, UnitConflictError
from shotstore.model import quantity
from shotstore.testing.content import reopened
from shotstore.testing.experiments import PATH, launch, record
from shotstore.testing.failing_sessions import discarded

RECOIL = "recoil_of_tests = 3.77 kHz = Er_t"
STEPS = "steps_of_tests = [steps_of_tests]"


def test_a_unit_of_the_lab_is_defined_once(storage: StorageManager) -> None:
    with storage.session() as session:
        assert session.get_unit_definitions() == ()
        session.define_unit(RECOIL)
        session.define_unit("  steps_of_tests=[steps_of_tests]")
        session.define_unit(RECOIL)
        assert session.get_unit_definitions() == (RECOIL, STEPS)
        launch(session)
        record(session, parameters={"depth": quantity(2.0, "Er_t"), "x": quantity(5, STEPS[:14])})
    with reopened(storage).session() as session:
        assert session.get_unit_definitions() == (RECOIL, STEPS)
        found = session.sequences.get_shot_parameters(PATH, 0)
        assert found["depth"].to("Hz").magnitude == pytest.approx(7540)  # type: ignore[union-attr]
        assert session.sequences.get_parameter_schema(PATH)["depth"].units == "Er_t"
        assert found["x"] == quantity(5, "steps_of_tests")


def test_units_of_the_lab_are_known_to_whatever_registry_is_used(storage: StorageManager) -> None:
    with storage.session() as session:
        session.define_unit(RECOIL)
        session.define_unit("double_recoil_of_tests = 2 Er_t")
    before = pint.get_application_registry().get()
    other: pint.UnitRegistry[Any] = pint.UnitRegistry()
    pint.set_application_registry(other)
    try:
        with storage.session() as session:
            launch(session)
            record(session, parameters={"depth": quantity(1, "double_recoil_of_tests")})
            found = session.sequences.get_shot_parameters(PATH, 0)["depth"]
        assert found == other.Quantity(1, "double_recoil_of_tests")
        assert found.to("kHz").magnitude == pytest.approx(7.54)  # type: ignore[union-attr]
    finally:
        pint.set_application_registry(before)


def test_what_was_discarded_is_not_defined(storage: StorageManager) -> None:
    with discarded(storage) as session:
        session.define_unit(RECOIL)
    with storage.session() as session:
        assert session.get_unit_definitions() == ()


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ("recoil_of_tests = 4 kHz", "the store has 'recoil_of_tests = 3.77 kHz = Er_t' already"),
        ("other_of_tests = 4 kHz = Er_t", "choose another name"),
        ("other_of_tests", "does not define a unit"),
        ("other_of_tests = ", "does not define a unit"),
        ("arb.u. = []", "does not define a unit"),
        ("other_of_tests = 3 nonsense", "'nonsense' is neither"),
        ("other_of_tests = 0 kHz", "does not define a unit"),
        ("other_of_tests = -1 kHz", "does not define a unit"),
        ("other_of_tests = nan", "does not define a unit"),
        ("other_of_tests = [a b]", "does not define a unit"),
        ("\ud800 = 3 kHz", "surrogate"),
    ],
    ids=ascii,
)
def test_what_is_not_a_definition_is_refused(
    storage: StorageManager, definition: str, reason: str
) -> None:
    with storage.session() as session:
        session.define_unit(RECOIL)
        with pytest.raises(ValueError, match=reason):
            session.define_unit(definition)
        with pytest.raises(TypeError):
            session.define_unit(3)  # type: ignore[arg-type]
        assert session.get_unit_definitions() == (RECOIL,)


@pytest.mark.parametrize("definition", ["m = 3 ft", "foo_of_tests = 3 ft = kHz"])
def test_a_unit_of_pint_keeps_its_meaning(storage: StorageManager, definition: str) -> None:
    with storage.session() as session:
        with pytest.raises(UnitConflictError, match="of pint's application registry"):
            session.define_unit(definition)
        assert session.get_unit_definitions() == ()
        assert quantity(1, "m").to("cm").magnitude == 100
        session.define_unit(RECOIL)


def test_a_definition_that_the_registry_has_already_is_kept(storage: StorageManager) -> None:
    registry = pint.get_application_registry().get()
    if not hasattr(registry, "lab_unit_of_tests"):
        registry.define("lab_unit_of_tests = 5 kHz")
    with storage.session() as session:
        session.define_unit("lab_unit_of_tests = 5000 Hz = lu_of_tests")
    assert quantity(1, "lu_of_tests").to("kHz").magnitude == pytest.approx(5)
