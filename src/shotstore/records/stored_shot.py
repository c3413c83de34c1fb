"""The contract with a backend: one shot."""

import abc
from collections.abc import Collection
from datetime import datetime

from shotstore.model import Data
from shotstore.model.parameters import PlainParameter


class StoredShot(abc.ABC):
    """A shot, to be read inside the job that has found it."""

    @abc.abstractmethod
    def times(self) -> tuple[datetime, datetime]:
        """Return its start and its end, in UTC."""

    @abc.abstractmethod
    def parameters(self) -> dict[str, PlainParameter]:
        """Return its parameters by name."""

    @abc.abstractmethod
    def labels(self) -> Collection[str]:
        """Return the labels of its data."""

    @abc.abstractmethod
    def data(self, labels: Collection[str]) -> dict[str, Data]:
        """Return its data under some of its labels, which belongs to the caller."""
