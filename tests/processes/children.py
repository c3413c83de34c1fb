"""Functions of a test module that run in processes of their own, and talk through pipes."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# A server that has the modules loaded already forks in milliseconds, from a single thread.
_CONTEXT: ForkServerContext | SpawnContext
if "forkserver" in multiprocessing.get_all_start_methods():
    _CONTEXT = multiprocessing.get_context("forkserver")
    _CONTEXT.set_forkserver_preload(["pytest", "shotstore.hdf5", "tests.processes.shots"])
else:
    _CONTEXT = multiprocessing.get_context("spawn")

PATIENCE = 200
"""Seconds after which a process that does not answer is taken for hanging."""


class Child:
    """A function that runs in a new interpreter: ``function(parent, *arguments)``.

    The function gets its end of the pipe as a `Connection`: ``parent.send(...)`` is answered by
    `hear`, `tell` by ``parent.recv()``, and ``parent.poll()`` says whether something was told. The
    block that the child is used in ends with its death.
    """

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self._connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=function, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the child is the end of what it says

    @property
    def pid(self) -> int:
        """Id of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def tell(self, message: object = None) -> None:
        """Send something to the child."""
        self._connection.send(message)

    def hear(self) -> Any:
        """Wait for what the child says next.

        Raises:
            EOFError: it has ended.
        """
        assert self._connection.poll(PATIENCE), "the child says nothing"
        return self._connection.recv()

    def hear_all(self) -> list[Any]:
        """What the child has said by now, or until it ended."""
        said = []
        try:
            while self._connection.poll():
                said.append(self._connection.recv())
        except EOFError:
            pass
        return said

    def is_alive(self) -> bool:
        """Whether the child has not ended."""
        return self._process.is_alive()

    def finish(self) -> None:
        """Wait for the child to return from its function."""
        self._process.join(PATIENCE)
        assert self._process.exitcode == 0, f"the child has ended with {self._process.exitcode}"

    def kill(self) -> None:
        """End the child with SIGKILL, wherever it is, and wait until it is gone."""
        self._process.kill()
        self.wait_for_death()

    def wait_for_death(self) -> None:
        """Wait for the child to be killed by SIGKILL."""
        self._process.join(PATIENCE)
        assert self._process.exitcode == -signal.SIGKILL

    def stop(self) -> None:
        """Stop the child with SIGSTOP, and wait until all its threads are stopped, of which some
        may be at work on other processors. Only Linux tells."""
        os.kill(self.pid, signal.SIGSTOP)
        while any(
            file.read_text().rpartition(")")[2].split()[0] not in ("T", "t")
            for file in Path(f"/proc/{self.pid}/task").glob("*/stat")
        ):
            time.sleep(0.001)

    def resume(self) -> None:
        """Let a stopped child go on."""
        os.kill(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()


def run_interpreter(function: Callable[..., object], *arguments: object) -> str:
    """Call a function in a Python of its own, which ends as a program ends and must succeed;
    return what it wrote to its standard error."""
    code = "import pickle, sys; function, arguments = pickle.load(sys.stdin.buffer); "
    done = subprocess.run(
        [sys.executable, "-c", code + "function(*arguments)"],
        input=pickle.dumps((function, arguments)),
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        timeout=PATIENCE,
        check=False,
    )
    said = done.stderr.decode()
    assert done.returncode == 0, f"it has ended with {done.returncode}: {said}"
    return said


def listening(parent: Connection) -> bool:
    """Whether the parent has said nothing yet; what it has said, a child in a loop is to stop."""
    return not parent.poll()
