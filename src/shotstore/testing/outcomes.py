"""What a call on a session ends in, to be compared with that of the same call on another."""

import operator
from collections.abc import Iterator, Mapping
from typing import Any

from shotstore import ExperimentSession
from shotstore.model import IterationConfiguration


def outcome_of(
    session: ExperimentSession, method: str, given: tuple[Any, ...], named: dict[str, Any]
) -> object:
    """Call a method, such as ``"paths.move"``; return its result, or the class of its error."""
    try:
        return comparable(operator.attrgetter(method)(session)(*given, **named))
    except (RuntimeError, ValueError, TypeError, LookupError) as error:
        return type(error)


def comparable(result: object) -> object:
    """The result without an order that is not promised, and with what its equality leaves out."""
    if isinstance(result, IterationConfiguration):
        return result, result.expected_number_shots()
    if isinstance(result, Iterator):
        return list(result)
    if isinstance(result, Mapping):
        return dict(sorted(result.items()))
    return result
