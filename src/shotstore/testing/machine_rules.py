"""What the rules of the state machine are made of."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule

# A path is told by the numbers of its names. There are few, so that operations meet.
Place = tuple[int, ...]

SEQUENCES: Bundle[Place] = Bundle("sequences")
"""Where there are sequences, or have been."""
PLACES: st.SearchStrategy[Place] = st.sampled_from(
    [(2,), (1, 1), (0,), (2, 0), (1,), (0, 0), (1, 0), (1, 0, 2), (0, 1, 1), ()]
)
ANYWHERE = st.one_of(SEQUENCES, SEQUENCES, SEQUENCES, PLACES)
FOLDERS: st.SearchStrategy[Place] = st.sampled_from([(0,), (1,)])


def calling(
    method: str, place: st.SearchStrategy[Place] = ANYWHERE, **given: st.SearchStrategy[Any]
) -> Any:
    """A rule that calls a method with the path of a place, and what else it takes in this order."""

    def call(self: Any, place: Place, **arguments: Any) -> None:
        self._do(method, self._path(place), *(arguments[name] for name in given))

    call.__name__ = method.rpartition(".")[2]
    made: Any = rule  # whose types do not take a dict
    return made(place=place, **given)(call)
