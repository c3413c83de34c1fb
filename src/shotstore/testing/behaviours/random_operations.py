"""Random operations do what they do in memory."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from shotstore import StorageManager
from shotstore.testing.state_machine import state_machine


def test_random_operations_do_what_they_do_in_memory(storage: StorageManager) -> None:
    run_state_machine_as_test(
        state_machine(storage),
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
