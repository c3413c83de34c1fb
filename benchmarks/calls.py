"""Through how much code a call goes: ``python -m benchmarks.calls``.

The calls of Python functions of shotstore, how many functions these are, and in how many files,
from the opening of a session on a store of files to its end; and how many of the calls come before
the first change of the disk, or all of them if there is none.
"""

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from dis import get_instructions
from functools import cache
from pathlib import Path
from types import CodeType, FrameType

import attrs

import shotstore
from benchmarks.shots import RUN, launch
from shotstore import DataId, ExperimentSession, PureSequencePath, ShotId
from shotstore.hdf5 import HDF5StorageManager, disk

_PACKAGE = str(Path(shotstore.__file__).parent)
_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>"}
_ARCHIVE = PureSequencePath(r"\archive")


@attrs.define
class Calls:
    """What was called in between, and how often."""

    by_function: Counter[CodeType] = attrs.field(factory=Counter)
    _before_writing: int | None = None

    def note(self, operation: disk.Operation) -> None:
        """Take down the first change of the disk. That of ``writer.json`` is a courtesy to those
        who wait for the lock."""
        if self._before_writing is None and Path(operation.path).name != "writer.json":
            self._before_writing = self.calls

    @property
    def before_writing(self) -> int:
        """How often anything was called before the disk was changed."""
        return self.calls if self._before_writing is None else self._before_writing

    @property
    def calls(self) -> int:
        """How often anything was called."""
        return self.by_function.total()

    @property
    def functions(self) -> int:
        """How many different functions were called."""
        return len(self.by_function)

    @property
    def files(self) -> int:
        """How many modules these are in."""
        return len({code.co_filename for code in self.by_function})


def main() -> None:
    """Count, and print a table; with ``--functions``, what was called as well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calls", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path.cwd(), help="to make the store in")
    parser.add_argument(
        "--functions", action="store_true", help="list the functions by how often they are called"
    )
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="calls-", dir=arguments.directory))
    try:
        found = count(directory / "store")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print("| work | calls | to the first write | functions | files |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for work, counted in found.items():
        numbers = counted.calls, counted.before_writing, counted.functions, counted.files
        print(f"| {work} | {' | '.join(map(str, numbers))} |")
    for work, counted in found.items() if arguments.functions else ():
        print(f"\n{work}:")
        for code, times in counted.by_function.most_common():
            file = Path(code.co_filename).relative_to(_PACKAGE).as_posix()
            print(f"{times:5}  {file}:{code.co_firstlineno} {code.co_qualname}")


def count(root: Path) -> dict[str, Calls]:
    """Count the calls of each kind of work on a new store, when it has been done before."""
    counting = _Counting()
    with counting.in_all_threads():
        storage = HDF5StorageManager(root)
        with storage.session() as session:
            launch(session)

        def counted(work: Callable[[ExperimentSession], object]) -> Calls:
            with counting.block() as calls, storage.session() as session:
                work(session)
            return calls

        time.sleep(2.1)  # a document that was changed a moment ago is opened anew
        for index in range(2):
            counted(lambda session, index=index: _record(session, index))  # type: ignore[misc]
        found = {"a shot": counted(lambda session: _record(session, 2))}
        time.sleep(0.1)  # and so is a file of shots
        for index in range(2):
            counted(lambda session, index=index: _read(session, index))  # type: ignore[misc]
        found["one label of a shot"] = counted(lambda session: _read(session, 2))
        counted(lambda session: session.sequences.get_stats(RUN))
        found["how far a run is"] = counted(lambda session: session.sequences.get_stats(RUN))
        counted(lambda session: session.sequences.set_finished(RUN, "now"))
        assert RUN.parent is not None
        parent = RUN.parent
        counted(lambda session: session.paths.move(parent, _ARCHIVE))
        found["a move of a folder"] = counted(lambda session: session.paths.move(_ARCHIVE, parent))
    return found


def _record(session: ExperimentSession, index: int) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    session.sequences.create_shot(
        ShotId(RUN, index), {"detuning": 1.5}, {"number": index, "width": 2.5}, now, now
    )


def _read(session: ExperimentSession, index: int) -> None:
    session.sequences.get_shot_data_by_label(DataId(ShotId(RUN, index), "number"))


class _Counting:
    def __init__(self) -> None:
        self._found: Calls | None = None

    @contextmanager
    def in_all_threads(self) -> Iterator[None]:
        """Look at all calls in the block, also in threads that it starts."""
        threading.setprofile(self._notice)
        sys.setprofile(self._notice)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    @contextmanager
    def block(self) -> Iterator[Calls]:
        """Count those in the block."""
        self._found = found = Calls()
        disk.observe = found.note
        try:
            yield found
        finally:
            self._found = disk.observe = None

    def _notice(self, frame: FrameType, event: str, _: object) -> None:
        found, code = self._found, frame.f_code
        if found is None or event != "call" or not code.co_filename.startswith(_PACKAGE):
            return
        # Later Pythons do not call a comprehension, and to go on with a generator is not a call.
        if code.co_name not in _COMPREHENSIONS and frame.f_lasti <= _start(code):
            found.by_function[code] += 1


@cache
def _start(code: CodeType) -> int:
    """Where the first instruction that is the function's own is."""
    return next(found.offset for found in get_instructions(code) if found.opname == "RESUME")


if __name__ == "__main__":
    main()
