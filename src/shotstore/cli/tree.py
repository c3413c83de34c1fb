"""The tree of a store, for a terminal: states, numbers of shots, errors."""

from rich.text import Text
from rich.tree import Tree

from shotstore import ExperimentSession, PureSequencePath, State

_STYLES = {
    State.DRAFT: "dim",
    State.PREPARING: "yellow",
    State.RUNNING: "bold cyan",
    State.FINISHED: "green",
    State.INTERRUPTED: "yellow",
    State.CRASHED: "bold red",
}
_INDENT = 4
"""Columns by which rich indents a branch"""


def render_tree(session: ExperimentSession, root: PureSequencePath, title: str) -> Tree:
    """The paths inside ``root``, each sequence with its state and number of shots.

    Args:
        session: where to look.
        root: a folder; it is shown as ``title``.
        title: the first line.

    Raises:
        PathNotFoundError: nothing is at ``root``.
        PathIsSequenceError: ``root`` is a sequence.
    """
    tree = Tree(Text(title, style="bold"), guide_style="dim")
    _add_children(tree, session, root, 1, _name_column(session, root))
    return tree


def _name_column(session: ExperimentSession, root: PureSequencePath) -> int:
    """The column at which the states begin, right of the longest name."""
    return max(
        (
            _INDENT * (len(path.parts) - len(root.parts)) + len(path.name or "")
            for path in session.sequences.get_contained_sequences(root)
        ),
        default=0,
    )


def _add_children(
    branch: Tree, session: ExperimentSession, path: PureSequencePath, depth: int, column: int
) -> None:
    for child in sorted(session.paths.get_children(path)):
        name = child.name or ""
        if session.sequences.is_sequence(child):
            padding = " " * (column - _INDENT * depth - len(name) + 3)
            _add_sequence(branch, session, child, name + padding)
        else:
            _add_children(branch.add(Text(name)), session, child, depth + 1, column)


def _add_sequence(
    branch: Tree, session: ExperimentSession, path: PureSequencePath, name: str
) -> None:
    stats = session.sequences.get_stats(path)
    expected = stats.expected_number_shots
    shots = f"{stats.number_completed_shots}{'' if expected is None else f'/{expected}'} shots"
    state = (f"{stats.state.name:<12}", _STYLES[stats.state])
    leaf = branch.add(Text.assemble(name, state, f"{shots:>12}"))
    if stats.state is State.CRASHED:
        error = session.sequences.get_exception(path)
        kind = error.exception_type.rpartition(".")[2]
        leaf.add(Text(f"{kind}: {error.message}", style="red"))
