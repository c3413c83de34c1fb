"""A sample of what `tests.crash.explore` looks at in full."""

from pathlib import Path

import pytest

from tests.crash.explore import TRANSACTIONS, explore


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_a_crash_leaves_what_was_before_or_after(name: str, tmp_path: Path) -> None:
    report = explore(name, TRANSACTIONS[name], tmp_path, sample=6, mixes=2, seed=1)
    assert report.states == 6
    assert report.violations == []
