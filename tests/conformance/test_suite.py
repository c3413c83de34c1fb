"""The suite itself: what it asks of whoever runs it, and that it finds faults."""

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, is_hypothesis_test, settings
from hypothesis.stateful import run_state_machine_as_test

from shotstore import testing
from shotstore.memory import InMemoryStorageManager
from shotstore.testing import behaviours, state_machine
from tests.conformance.mutants import FAULTS, FaultyStorageManager

pytestmark = pytest.mark.exhaustive

SETTINGS = settings(
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)

# Random operations have no second session that writes.
FOUND_BY_RANDOM_OPERATIONS = FAULTS.keys() - {"LosesUpdates"}
# And which of the behaviours have to be run for that, as all of them take long.
FOUND_BY_THE_BEHAVIOURS = {
    "LosesNaN": "numbers or quantities",
    "ForgetsTheUnitOfWhatWasMeasured": "quantities",
    "ForgetsWhatNobodyElseCounts": "nobody_knows",
    "CommitsWhatFailed": "not committed or fails",
    "LosesUpdates": "sessions",
}


@pytest.mark.parametrize("fault", sorted(FOUND_BY_RANDOM_OPERATIONS))
def test_random_operations_find_a_fault(fault: str) -> None:
    storage = FaultyStorageManager(fault)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            state_machine.state_machine(storage), settings=settings(SETTINGS, max_examples=500)
        )


@pytest.mark.parametrize("fault", FOUND_BY_THE_BEHAVIOURS)
def test_the_behaviours_find_a_fault_and_say_what_they_found(fault: str, tmp_path: Path) -> None:
    module = tmp_path / "test_another_backend.py"
    module.write_text(
        f"""
import pytest
from shotstore.testing.behaviours import *
from tests.conformance.mutants import FaultyStorageManager

@pytest.fixture
def storage():
    return FaultyStorageManager("{fault}")
"""
    )
    python_path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-x", "-q", "-W", "error", "-p", "no:cacheprovider"),
            *("-k", FOUND_BY_THE_BEHAVIOURS[fault], module.name),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": python_path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == pytest.ExitCode.TESTS_FAILED, result.stdout + result.stderr
    assert "1 failed" in result.stdout
    # What pytest tells of the values in an assertion of a module that it has rewritten.
    assert re.search("^E  +(assert .* == |\\+  where |Failed: DID NOT RAISE)", result.stdout, re.M)


def test_each_behaviour_has_a_name_of_its_own() -> None:
    """One that has the name of another would never run."""
    imported = [
        node.module
        for node in ast.parse(inspect.getsource(behaviours)).body
        if isinstance(node, ast.ImportFrom)
    ]
    defined = [
        node.name
        for module in imported
        for node in ast.parse(inspect.getsource(sys.modules[str(module)])).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert sorted(defined) == sorted(behaviours.__all__)


def test_each_behaviour_needs_no_fixture_but_a_storage() -> None:
    for name in behaviours.__all__:
        test = getattr(behaviours, name)
        marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
        given = {argument for mark in marks for argument in _names(mark.args[0])}
        if not is_hypothesis_test(test):
            assert inspect.signature(test).parameters.keys() - given == {"storage"}, name


MADE_OF_OTHERS = {"get_sequence", "get_structures", "has_wide_integers", "scan"}
"""Methods that a backend need not have."""


def test_random_operations_call_every_method_of_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    called: set[tuple[type, str]] = set()

    def noting(interface: type, name: str) -> Callable[..., object]:
        method: Callable[..., object] = getattr(interface, name)

        def call(*arguments: object, **by_name: object) -> object:
            called.add((interface, name))
            return method(*arguments, **by_name)

        return call

    storage = InMemoryStorageManager(serializer=testing.serializer())
    with storage.session() as session:
        devices = type(session.default_device_configurations)
        methods = {
            (interface, name)
            for interface in (type(session), type(session.paths), type(session.sequences))
            for name in dir(interface)
            if not name.startswith("_") and inspect.isfunction(getattr(interface, name))
        } | {(devices, name) for name in ("__getitem__", "__setitem__", "__delitem__", "__iter__")}
    for interface, name in methods:
        monkeypatch.setattr(interface, name, noting(interface, name))
    run_state_machine_as_test(state_machine.state_machine(storage), settings=SETTINGS)
    assert {name for _, name in methods - called} <= MADE_OF_OTHERS


def _names(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names
