"""What belongs together in a commit, and is carried out together or not at all."""

from collections.abc import Iterable, Sequence

from shotstore.hdf5.names import FILES_OF_ROWS, SEQUENCE_DOCUMENT


def territory(path: str) -> str:
    """The path of what a file is a part of: of a sequence its directory, else the file itself."""
    directory, _, name = path.rpartition("/")
    return directory if name in (SEQUENCE_DOCUMENT, *FILES_OF_ROWS) else path


def meets(one: str, other: str) -> bool:
    """Whether two paths are the same, or one lies in the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def groups(actions: Sequence[Iterable[str]]) -> list[int]:
    """Number the actions so that those that depend on each other have the same number.

    Args:
        actions: The paths that each action has to do with. Two actions depend on each other if
            their paths meet, or those of others between them do.
    """
    places = [{tuple(territory(path).split("/")) for path in paths} for paths in actions]
    leader: dict[tuple[str, ...], tuple[str, ...]] = {}

    def find(place: tuple[str, ...]) -> tuple[str, ...]:
        while leader.setdefault(place, place) != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    above: list[tuple[str, ...]] = []
    for place in sorted({place for each in places for place in each}):
        while above and place[: len(above[-1])] != above[-1]:
            above.pop()
        if above:
            leader[find(place)] = find(above[-1])
        above.append(place)
    for first, *others in places:
        for other in others:
            leader[find(other)] = find(first)
    numbers: dict[tuple[str, ...], int] = {}
    return [numbers.setdefault(find(next(iter(each))), len(numbers)) for each in places]
