"""Iteration configurations: what a sequence varies from shot to shot."""

import abc
from collections.abc import Mapping

import attrs

from shotstore.model.parameters import Parameter
from shotstore.model.ranges import ParameterRanges
from shotstore.model.scalars import JSON, copy_json
from shotstore.model.schema import ParameterSchema


class IterationConfiguration(abc.ABC):
    """What a sequence varies from shot to shot. A value: immutable and compared by content."""

    @abc.abstractmethod
    def expected_number_shots(self) -> int | None:
        """Return how many shots the sequence will have, ``None`` if that cannot be known."""

    @abc.abstractmethod
    def get_parameter_names(self) -> set[str]:
        """Return the names of the parameters that the iteration sets."""

    @abc.abstractmethod
    def get_parameter_schema(self, initial: Mapping[str, Parameter]) -> ParameterSchema:
        """Return type and unit of all parameters of a shot, computed from the recipe.

        Args:
            initial: The parameters before the iteration sets its own, as the global ones.

        Raises:
            ValueError: the recipe cannot be evaluated.
        """

    def get_parameter_ranges(self, initial: Mapping[str, Parameter]) -> ParameterRanges:
        """Return from where to where each parameter is taken, without running the recipe.

        A class that does not say it otherwise tells nothing.

        Args:
            initial: The parameters before the iteration sets its own, as far as they are known.
        """
        del initial
        return ParameterRanges()


@attrs.frozen
class UnknownIterationConfiguration(IterationConfiguration):
    """A stored iteration whose class is not registered here, kept as it was stored.

    It is written back unchanged. Its parameters are not known.

    Attributes:
        tag: The name under which its class was registered.
        content: Its JSON.
        number_of_shots: What was stored beside it as the expected number of shots, for whoever
            stores it again; it plays no part in comparisons.
    """

    tag: str = attrs.field(validator=attrs.validators.instance_of(str))
    content: JSON = attrs.field(converter=copy_json, hash=False)
    number_of_shots: int | None = attrs.field(default=None, kw_only=True, eq=False)

    def expected_number_shots(self) -> int | None:
        return self.number_of_shots

    def get_parameter_names(self) -> set[str]:
        return set()

    def get_parameter_schema(self, initial: Mapping[str, Parameter]) -> ParameterSchema:
        return ParameterSchema.of(initial)


def with_stored_number(
    iteration: IterationConfiguration, number: int | None
) -> IterationConfiguration:
    """Return an iteration as a storage hands it out.

    Args:
        iteration: As the serializer has loaded it.
        number: The expected number of shots that is stored beside it, which is all there is to know
            about it where the class is not registered.
    """
    if isinstance(iteration, UnknownIterationConfiguration):
        return attrs.evolve(iteration, number_of_shots=number)
    return iteration
