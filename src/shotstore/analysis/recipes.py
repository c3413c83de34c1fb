"""What views tell of recipes and configurations: as much as this program can read of them.

The class of a recipe may have changed since it was stored, be registered with another program's
serializer, or be unknown here. The shots are there all the same, and so a view goes on without it.
"""

from collections.abc import Callable, Mapping

from shotstore.errors import UnreadableConfigurationError
from shotstore.model import (
    ParameterNamespace,
    ParameterSchema,
    TimeLanes,
    UnknownIterationConfiguration,
    UnknownTimeLane,
)
from shotstore.records.sequence_reader import SequenceReader
from shotstore.state import State

_OF_ANOTHER_PROGRAM = "written by another program"


def local_parameters(sequence: SequenceReader) -> set[str]:
    """Return the names of what the recipe of a sequence sets; none if it cannot be read here."""
    try:
        return set(sequence.get_iteration_configuration().get_parameter_names())
    except UnreadableConfigurationError:
        return set()


def parameters_of(sequence: SequenceReader) -> ParameterSchema:
    """Return the parameters of the shots or, before the first one, what the recipe tells of them:
    nothing if it cannot be evaluated, or not be read here."""
    try:
        return sequence.get_parameter_schema()
    except (ValueError, UnreadableConfigurationError):
        if sequence.get_stats().number_completed_shots:
            raise
        return ParameterSchema()


def readable_globals(read: Callable[[], ParameterNamespace]) -> ParameterNamespace | None:
    """Return the global parameters that are read; None if they cannot be read here."""
    try:
        return read()
    except UnreadableConfigurationError:
        return None


def not_readable(sequence: SequenceReader) -> dict[str, str]:
    """Return what cannot be read here of a sequence.

    Returns:
        "recipe", "time lanes" and "global parameters", as far as they cannot: the names under
        which their classes are stored or, if there are none, that another program wrote them.
    """
    parts: dict[str, Callable[[], object]] = {
        "recipe": sequence.get_iteration_configuration,
        "time lanes": sequence.get_time_lanes,
    }
    if sequence.get_stats().state is not State.DRAFT:
        parts["global parameters"] = sequence.get_global_parameters
    found = {}
    for part, read in parts.items():
        if tags := _unknown_tags(read):
            found[part] = ", ".join(tags)
    return found


def not_readable_line(found: Mapping[str, str]) -> str:
    """Return a line for people that names what cannot be read here; empty if there is nothing.

    Args:
        found: As :func:`not_readable` returns it.
    """
    parts = ", ".join(f"the {part} ({tags})" for part, tags in found.items())
    return f"Not readable here: {parts}." if parts else ""


def _unknown_tags(read: Callable[[], object]) -> list[str]:
    try:
        found = read()
    except UnreadableConfigurationError as error:
        return [error.tag or _OF_ANOTHER_PROGRAM]
    if isinstance(found, UnknownIterationConfiguration):
        return [found.tag]
    lanes = found.lanes.values() if isinstance(found, TimeLanes) else ()
    return sorted({lane.tag for lane in lanes if isinstance(lane, UnknownTimeLane)})
