"""A process that reads damaged stores, so that a hang or a crash of the interpreter is noticed."""

import multiprocessing
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import frozen

from shotstore import PureSequencePath
from tests.damage import specimen

PATIENCE = 60
"""Seconds for all reads of one sequence. They take milliseconds, so what takes longer is a hang."""

MEMORY = 8 * 2**30
"""Bytes of addresses that reading may take."""

RIGHT, REFUSED, WRONG, CRASHED, HUNG = "right", "refused", "wrong", "crashed", "hung"


@frozen
class Outcome:
    """What came of reading everything."""

    kind: str
    why: str = ""

    @property
    def is_safe(self) -> bool:
        """Whether each read gave what was stored, or a clear error."""
        return self.kind in (RIGHT, REFUSED)


class Reader:
    """Reads the sequences of a store in a process of its own, which is started again after it has
    crashed or hung."""

    def __init__(self, store: Path) -> None:
        """The store is whole: what it holds is what each later read must give, or refuse."""
        self._store = store
        self._context = multiprocessing.get_context("spawn")
        storage = specimen.open_store(store, read_only=True)
        self._expected: dict[PureSequencePath, dict[str, object]] = {}
        with storage.session() as session:
            for path in (specimen.PATH, specimen.NEIGHBOUR):
                self._expected[path] = specimen.outcomes(session, specimen.reads(path))
        for outcomes in self._expected.values():
            assert specimen.REFUSED not in outcomes.values()
        self._start()

    def read(self, path: PureSequencePath = specimen.PATH) -> Outcome:
        """Read all there is to read of a sequence, whatever was done to the store."""
        self._connection.send(path)
        if not self._connection.poll(PATIENCE):
            self._restart()
            return Outcome(HUNG)
        try:
            found = self._connection.recv()
        except EOFError:
            self._process.join(PATIENCE)
            code = self._process.exitcode
            self._restart()
            return Outcome(CRASHED, f"exit code {code}")
        return found if isinstance(found, Outcome) else self._judge(path, found)

    def _judge(self, path: PureSequencePath, found: Mapping[str, object]) -> Outcome:
        for name, expected in self._expected[path].items():
            if found[name] not in (expected, specimen.REFUSED):
                return Outcome(WRONG, f"{name} is {found[name]!r:.300}")
        refused = [name for name, value in found.items() if value == specimen.REFUSED]
        return Outcome(REFUSED, ", ".join(refused)) if refused else Outcome(RIGHT)

    def _start(self) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs, self._store))
        self._process.daemon = True
        self._process.start()
        theirs.close()

    def _restart(self) -> None:
        self._end()
        self._start()

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()


def _serve(parent: Connection, store: Path) -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    storage = specimen.open_store(store, read_only=True)
    while True:
        path = parent.recv()
        try:
            with storage.session() as session:
                answer: object = specimen.outcomes(session, specimen.reads(path))
        except BaseException as error:
            answer = Outcome(WRONG, f"{type(error).__name__}: {error}")
        parent.send(answer)
