"""What file managers, sync programs and other systems make of a tree: files that look like those of
a sequence and are read by nobody, names that become one elsewhere, one sequence at two places."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from shotstore.hdf5.checks.report import Finding
from shotstore.hdf5.names import FILES_OF_ROWS, SEQUENCE_DOCUMENT
from shotstore.paths import PureSequencePath

_LOOKALIKE = re.compile(r"(?:shots|results)\b.*\.h5|sequence\b.*\.json", re.IGNORECASE)
_OURS = {SEQUENCE_DOCUMENT, *FILES_OF_ROWS}


def find_copies_of_files(
    directory: Path, files: Iterable[str], path: PureSequencePath | None
) -> Iterator[Finding]:
    """Files in the directory of a sequence such as ``shots (1).h5``."""
    for name in sorted(files):
        if _LOOKALIKE.fullmatch(name) and name not in _OURS:
            own = next(own for own in _OURS if name.casefold().startswith(own.partition(".")[0]))
            yield Finding(
                "note",
                directory / name,
                f"It looks like a copy of {own}, as sync programs and file managers make them, "
                "and nobody reads it.",
                "Look at what is in it: `shotstore verify --store DIR` reads it where it lies in a "
                f"directory of its own under the name {own}. Then remove it.",
                path,
            )


def find_names_differing_in_case(
    directory: Path, names: Iterable[str], path: PureSequencePath | None
) -> Iterator[Finding]:
    """Paths in a folder that macOS and Windows cannot hold beside each other."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[name.casefold()].append(name)
    for several in alike.values():
        if len(several) > 1:
            yield Finding(
                "note",
                directory,
                f"{_listed(several)} differ in upper and lower case only: a copy to macOS or "
                "Windows would hold one of them.",
                "Rename all but one with `shotstore mv`.",
                path,
            )


def find_same_ids(
    places: Iterable[Sequence[PureSequencePath | None]], tree: Path
) -> Iterator[Finding]:
    """Sequences that were found at several paths with the same id."""
    for several in places:
        if len(several) > 1:
            yield Finding(
                "note",
                tree,
                f"{_listed(map(str, several))} have one id: they are copies of one sequence, made "
                "without shotstore.",
                "Each can be read. If nobody needs both, delete one with `shotstore rm`.",
            )


def _listed(names: Iterable[str]) -> str:
    *first, last = sorted(names)
    return f"{', '.join(first)} and {last}"
