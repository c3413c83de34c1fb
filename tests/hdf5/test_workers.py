"""Functions that run at the same time on threads of ours."""

import threading
from functools import partial

import pytest

from shotstore.hdf5 import worker
from shotstore.hdf5.worker import run, run_together


def refuse() -> int:
    raise LookupError("no")


def test_each_function_is_called_once_and_what_they_return_is_in_their_order() -> None:
    called: list[int] = []

    def call(number: int) -> int:
        called.append(number)
        return number

    found = run_together([partial(call, number) for number in range(50)])
    assert found == list(range(50))
    assert sorted(called) == found


def test_they_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_PROCESSORS", 2)
    together = threading.Barrier(2, timeout=10)
    assert sorted(run_together([together.wait, together.wait])) == [0, 1]
    assert sorted(run(lambda: run_together([together.wait, together.wait]))) == [0, 1]


def test_what_one_of_them_raises_is_raised_once_all_have_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_PROCESSORS", 2)
    has_ended = threading.Event()
    has_failed = threading.Event()

    def fail() -> int:
        has_failed.set()
        return refuse()

    def end() -> int:
        has_failed.wait(10)
        has_ended.set()
        return 0

    with pytest.raises(LookupError, match="no"):
        run_together([end, fail])
    assert has_ended.is_set()


def test_the_caller_does_all_of_it_where_there_is_one_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_PROCESSORS", 1)
    threads = run_together([threading.get_ident] * 9)
    assert set(threads) == {threading.get_ident()}


def test_where_the_system_gives_no_more_threads_those_that_there_are_do_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused() -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(worker, "_PROCESSORS", 4)
    monkeypatch.setattr(worker, "_idle_worker", refused)
    assert run_together([partial(int, number) for number in range(9)]) == list(range(9))
