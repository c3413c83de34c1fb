"""What may be done with the tree, and the errors for what may not: each says what was found, and
what to do."""

from collections.abc import Collection, Iterable
from functools import lru_cache
from unicodedata import normalize

from shotstore.errors import (
    PathExistsError,
    PathHasChildrenError,
    PathIsNotSequenceError,
    PathIsRootError,
    PathIsSequenceError,
    PathNotFoundError,
    RecursivePathMoveError,
)
from shotstore.paths import PureSequencePath


def check_move(source: PureSequencePath, destination: PureSequencePath) -> None:
    """Check what can be said about a move without looking at the tree.

    Raises:
        PathIsRootError: the source is the root.
        RecursivePathMoveError: the destination is inside the source.
        PathExistsError: the destination is the root, or the source itself.
    """
    if source.is_root():
        raise path_is_root_error("moved")
    if destination.is_descendant_of(source):
        raise RecursivePathMoveError(
            f"Path {source} cannot be moved to {destination}, which is inside it: choose a "
            f"destination elsewhere."
        )
    if destination.is_root() or destination == source:
        raise path_exists_error(destination)


def path_not_found_error(path: PureSequencePath) -> PathNotFoundError:
    """Nothing exists at the path."""
    return PathNotFoundError(f"Path {path} does not exist: check its spelling, or create it first.")


def path_exists_error(path: PureSequencePath) -> PathExistsError:
    """Something exists where a path is to be moved to."""
    return PathExistsError(f"Path {path} exists already: choose another one, or delete it first.")


@lru_cache(maxsize=65536)
def _folded(name: str) -> str:
    # "Canonical caseless matching" of the Unicode Standard, 3.13: as file systems compare names.
    return normalize("NFD", normalize("NFD", name).casefold())


def check_siblings(parent: PureSequencePath, name: str, siblings: Iterable[str]) -> None:
    """Check that a name can be created beside others.

    Two that differ in upper and lower case only, or in how an accent is encoded, would be one
    directory on macOS and Windows, and a copy to there would lose one of them.

    Args:
        parent: Where.
        name: The name, which is not there.
        siblings: The names that are.

    Raises:
        PathExistsError: it differs from one of them in upper and lower case only.
    """
    folded = _folded(name)
    for other in siblings:
        if _folded(other) == folded:
            raise PathExistsError(
                f"Path {parent / other} exists already, and {name!r} differs from its name in "
                "upper and lower case only, which not all file systems tell apart: choose another "
                "name, or use the path that is there."
            )


def sequence_exists_error(path: PureSequencePath) -> PathIsSequenceError:
    """A sequence is where another one was to be created."""
    return PathIsSequenceError(
        f"Sequence {path} exists already: choose another name, such as '{path.name}_2', or move or "
        "delete the one that is there first."
    )


def path_is_root_error(action: str) -> PathIsRootError:
    """The root was to be "moved", "deleted", "made a sequence", as ``action`` says."""
    return PathIsRootError(f"The root \\ cannot be {action}: name a path inside it.")


def path_has_children_error(path: PureSequencePath) -> PathHasChildrenError:
    """The path that is to become a sequence holds other paths."""
    return PathHasChildrenError(
        f"Path {path} is a folder that holds other paths, so it cannot become a sequence: choose "
        f"another path, or move or delete what it holds."
    )


def path_is_sequence_error(
    path: PureSequencePath, requested: PureSequencePath | None = None
) -> PathIsSequenceError:
    """The path is a sequence where a folder, or nothing, is needed.

    Args:
        path: The sequence.
        requested: What was asked for, if that is a path inside the sequence.
    """
    if requested is not None and requested != path:
        return PathIsSequenceError(
            f"Path {requested} cannot exist, since {path} is a sequence and holds no other paths: "
            f"choose a path outside it."
        )
    return PathIsSequenceError(
        f"Path {path} is a sequence, which holds no other paths: choose a folder, or another path."
    )


def path_holds_sequences_error(
    path: PureSequencePath, sequences: Collection[PureSequencePath]
) -> PathIsSequenceError:
    """The path is, or holds, sequences that are not meant to be deleted.

    Args:
        path: What was to be deleted.
        sequences: All sequences at or inside it; at least one.
    """
    found = "is a sequence"
    if path not in sequences:
        found = f"holds {len(sequences)} sequences" if len(sequences) > 1 else "holds a sequence"
        found += f" ({min(sequences)})"
    return PathIsSequenceError(
        f"Path {path} {found}: pass delete_sequences=True to delete the shots too."
    )


def path_is_not_sequence_error(path: PureSequencePath) -> PathIsNotSequenceError:
    """The path is a folder where a sequence is needed."""
    return PathIsNotSequenceError(
        f"Path {path} is a folder, not a sequence: get_contained_sequences lists those inside it."
    )
