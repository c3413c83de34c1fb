"""All that can be called on a session and what it gives, with arguments that are taken."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter

import attrs

from shotstore import (
    DataId,
    ExperimentSession,
    PathHierarchy,
    PureSequencePath,
    Sequence,
    SequenceCollection,
    ShotId,
    State,
)
from shotstore.testing.experiments import (
    DEVICES,
    ERROR,
    PARAMETERS,
    PATH,
    START,
    STOP,
    TIME_LANES,
    recipe,
)

RIGHT: Mapping[str, object] = {
    "path": PATH,
    "source": PATH,
    "destination": PureSequencePath(r"\moved"),
    "target": PureSequencePath(r"\duplicate"),
    "delete_sequences": True,
    "date": START,
    "state": State.RUNNING,
    "text": "pulse",
    "iteration_configuration": recipe(),
    "time_lanes": TIME_LANES,
    "device_configurations": DEVICES,
    "global_parameters": PARAMETERS,
    "start_time": START,
    "stop_time": STOP,
    "resume_time": STOP,
    "tb_summary": ERROR,
    "tags": ["good"],
    "tag": "good",
    "note": "a note",
    "shot_id": ShotId(PATH, 1),
    "shot_parameters": {"index": 1},
    "shot_data": {"counts": 10},
    "shot_start_time": START,
    "shot_end_time": STOP,
    "replace": True,
    "shot_index": 0,
    "index": 0,
    "data": DataId(ShotId(PATH, 0), "counts"),
    "labels": ["counts"],
    "parameters": ["index"],
    "rows": [0],
    "names": ["counts"],
    "results": {"fraction": 0.5},
    "columns": {"shot_index": [0], "fraction": [0.5]},
    "by": "a fit",
    "history": False,
    "which": "all",
    "namespace": PARAMETERS,
    "device": "camera",
    "configuration": DEVICES["camera"],
}
"""An argument that is taken, by the name of the parameter."""

FURTHER = {"plot", "plot_image", "export", "scan", "to_pandas", "to_xarray", "follow"}
"""They need packages that not everybody has, or are asked for shot after shot."""


@attrs.frozen
class Method:
    """A method, and the names of what it takes."""

    name: str
    find: Callable[[ExperimentSession], Callable[..., object]]
    parameters: tuple[str, ...]
    by_name: frozenset[str]
    """Those of them that are given by name alone."""

    def on(self, session: ExperimentSession, **others: object) -> Callable[[], object]:
        """Return what calls it, with arguments that are taken but for these others."""
        method, given = self.find(session), {name: RIGHT[name] for name in self.parameters} | others
        named = {name: given.pop(name) for name in self.by_name if name in given}
        return functools.partial(method, *given.values(), **named)


def _methods(owner: type, find: Callable[[ExperimentSession], object]) -> Iterator[Method]:
    for name, method in inspect.getmembers(owner, inspect.isfunction):
        if not name.startswith("_") and name not in FURTHER:
            _, *parameters = inspect.signature(method).parameters.values()
            yield _method(f"{owner.__name__}.{name}", find, name, *parameters)


def _method(
    full_name: str,
    find: Callable[[ExperimentSession], object],
    name: str,
    *parameters: inspect.Parameter | str,
) -> Method:
    names = [each if isinstance(each, str) else each.name for each in parameters]
    by_name = [
        each.name
        for each in parameters
        if not isinstance(each, str) and each.kind is each.KEYWORD_ONLY
    ]
    return Method(
        full_name, lambda session: getattr(find(session), name), tuple(names), frozenset(by_name)
    )


def _all() -> Iterator[Method]:
    yield from _methods(PathHierarchy, lambda session: session.paths)
    yield from _methods(SequenceCollection, lambda session: session.sequences)
    yield from _methods(Sequence, lambda session: session.get_sequence(PATH))
    yield _method("get_sequence", lambda session: session, "get_sequence", "path")
    yield _method("set_globals", lambda session: session, "set_global_parameters", "namespace")
    devices = attrgetter("default_device_configurations")
    for name in ("__getitem__", "__delitem__", "__contains__", "pop", "get"):
        yield _method(f"devices.{name}", devices, name, "device")
    yield _method("devices.__setitem__", devices, "__setitem__", "device", "configuration")


METHODS = {method.name: method for method in _all()}
"""By name."""
