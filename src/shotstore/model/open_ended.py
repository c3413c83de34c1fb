"""Shots until somebody ends the sequence."""

import itertools
from collections.abc import Iterator, Mapping

import attrs

from shotstore.model.iteration import IterationConfiguration
from shotstore.model.parameters import Parameter, check_parameters
from shotstore.model.schema import ParameterSchema


@attrs.frozen
class OpenEnded(IterationConfiguration):
    """Shots without a number set before: the sequence goes on until somebody ends it.

    It sets no parameters and varies none. What differs between the shots is what each was recorded
    with.

    >>> print(OpenEnded().expected_number_shots())
    None
    """

    def walk(self, initial: Mapping[str, Parameter]) -> Iterator[dict[str, Parameter]]:
        """Yield the parameters of each shot, without an end.

        Args:
            initial: The parameters of all of them.
        """
        parameters = check_parameters(initial)
        return map(dict, itertools.repeat(parameters))

    def expected_number_shots(self) -> None:
        """Return ``None``: there may be any number."""

    def get_parameter_names(self) -> set[str]:
        return set()

    def get_parameter_schema(self, initial: Mapping[str, Parameter]) -> ParameterSchema:
        return ParameterSchema.of(initial)
