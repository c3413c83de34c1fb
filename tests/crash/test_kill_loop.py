"""A short run of `tests.crash.kill_loop`."""

import os
from pathlib import Path

import pytest

from tests.crash.kill_loop import run


@pytest.mark.parametrize("has_pauses", [True])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked to start them fast")
def test_a_recorder_and_a_mover_that_are_killed_again_and_again_lose_nothing(
    disk_path: Path,
) -> None:
    oracle, wrong = run(disk_path / "store", rounds=12, seed=1)
    assert oracle.acknowledgements > 0
    assert wrong == []
