"""Timing in turns, and what comes of it."""

import gc
import statistics
from collections.abc import Callable, Mapping
from time import perf_counter

import attrs

Work = Callable[[int], object]
"""Does the work once; it is given the number of the turn."""


@attrs.frozen
class Goal:
    """What a ratio of medians should not exceed."""

    to: str
    """The name of the peer."""
    ratio: float
    percentile: int = 50
    at_least: bool = False
    """Whether the ratio should rather not fall below it, as that of speeds."""


@attrs.frozen
class Measured:
    """The times of one kind of work, in seconds, of each who did it."""

    what: str
    times: Mapping[str, list[float]]
    goals: tuple[Goal, ...] = ()
    note: str = ""

    def median(self, who: str) -> float:
        """The median time."""
        return statistics.median(self.times[who])

    def percentile(self, who: str, percent: int) -> float:
        """The time that so many of a hundred did not exceed."""
        ordered = sorted(self.times[who])
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]

    def ratio(self, goal: Goal) -> float:
        """Our time to that of a peer; of speeds the other way round."""
        ours, theirs = (self.percentile(who, goal.percentile) for who in ("shotstore", goal.to))
        return theirs / ours if goal.at_least else ours / theirs

    def is_reached(self, goal: Goal) -> bool:
        """Whether the ratio is as good as the goal, as far as it is written down."""
        ratio = round(self.ratio(goal), 2)
        return ratio >= goal.ratio if goal.at_least else ratio <= goal.ratio


def in_turns(
    what: str,
    works: Mapping[str, Work],
    turns: int,
    *goals: Goal,
    note: str = "",
    warm_up: int = 3,
    per_turn: int = 1,
) -> Measured:
    """Let each do the work once, then each once again, and so on.

    Args:
        works: By the name of who does it; "shotstore" is ours.
        turns: How often each does it, besides the turns to warm up.
        per_turn: How many pieces of work there are in a turn; the time of one is noted.
    """
    times: dict[str, list[float]] = {who: [] for who in works}
    order = list(works)
    gc.collect()
    for turn in range(warm_up + turns):
        for who in order:
            start = perf_counter()
            works[who](turn)
            taken = (perf_counter() - start) / per_turn
            if turn >= warm_up:
                times[who].append(taken)
        order = order[1:] + order[:1]  # nobody always comes after the same one
    return Measured(what, times, goals, note)
