"""The awaited classes have what the sync ones have, with the same words."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from types import GenericAlias
from unittest.mock import MagicMock, create_autospec, sentinel

import attrs
import pandas
import polars
import pytest
import xarray
from matplotlib.axes import Axes

import shotstore
from shotstore import (
    AsyncDeviceConfigurationCollection,
    AsyncExperimentSession,
    AsyncPathHierarchy,
    AsyncSequence,
    AsyncSequenceCollection,
    AsyncShot,
    DeviceConfigurationCollection,
    ExperimentSession,
    ExperimentSessionMaker,
    PathHierarchy,
    Sequence,
    SequenceCollection,
    Shot,
    StorageManager,
)
from shotstore.testing.experiments import PATH

PAIRS = {
    ExperimentSession: AsyncExperimentSession,
    PathHierarchy: AsyncPathHierarchy,
    SequenceCollection: AsyncSequenceCollection,
    DeviceConfigurationCollection: AsyncDeviceConfigurationCollection,
    Sequence: AsyncSequence,
    Shot: AsyncShot,
}
NOT_AWAITED = {"get_sequence", "get_shot", "follow"}
"""They read nothing by themselves."""
FURTHER = {"run_sync"}
OPERATORS = {
    "__setitem__": "set",
    "__delitem__": "delete",
    "__contains__": "contains",
    "__len__": "count",
    "__iter__": "__aiter__",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
}
NO_NEED = {
    # Its length can be had from its stats.
    (Sequence, "__len__"),
    (Sequence, "__bool__"),
    # These are of the mapping as such.
    (DeviceConfigurationCollection, "__eq__"),
    (DeviceConfigurationCollection, "__reversed__"),
}

members = pytest.mark.parametrize(
    ("sync", "name"),
    [
        pytest.param(sync, name, id=f"{sync.__name__}.{name}")
        for sync in PAIRS
        for name in dir(sync)
        if not name.startswith("_") and callable(getattr(sync, name))
    ],
)


def hints(annotated: Callable[..., object]) -> dict[str, object]:
    """Annotations of a function or class; some modules import the names for type checkers alone."""
    packages = {"pandas": pandas, "polars": polars, "xarray": xarray, "Axes": Axes}
    return inspect.get_annotations(annotated, eval_str=True, locals={**vars(shotstore), **packages})


def awaited(hint: object) -> object:
    """The annotation, with the awaited classes in the place of the sync ones."""
    if hint in PAIRS:
        return PAIRS[hint]
    if isinstance(hint, GenericAlias) and isinstance(hint.__origin__, type):
        origin = AsyncIterator if hint.__origin__ is Iterator else hint.__origin__
        return GenericAlias(origin, tuple(awaited(item) for item in hint.__args__))
    return hint


@pytest.mark.parametrize("sync", PAIRS)
def test_there_is_an_awaited_class_with_the_same_members(sync: type) -> None:
    asynchronous = PAIRS[sync]
    assert getattr(shotstore, asynchronous.__name__) is asynchronous
    special = {"__call__", *OPERATORS, "__getitem__", "__str__", "__repr__", "__bool__"}
    bases = [base for base in sync.__mro__ if base is not object]
    found = {name for base in bases for name in vars(base)} & special | {
        name for name in dir(sync) if not name.startswith("_")
    }
    expected = {OPERATORS.get(name, name) for name in found if (sync, name) not in NO_NEED}
    missing = {name for name in expected if getattr(asynchronous, name, None) is None}
    assert not missing
    public = {name for name in dir(asynchronous) if not name.startswith("_")}
    assert public - expected <= FURTHER


@members
def test_a_method_is_awaited_and_has_the_same_signature(sync: type, name: str) -> None:
    method, its_awaited = getattr(sync, name), getattr(PAIRS[sync], name)
    assert inspect.iscoroutinefunction(its_awaited) is (name not in NOT_AWAITED)
    if name in vars(MutableMapping) or hasattr(MutableMapping, name):
        return  # without annotations there
    signature, its_signature = inspect.signature(method), inspect.signature(its_awaited)
    assert [(p.name, p.kind, p.default) for p in its_signature.parameters.values()] == [
        (p.name, p.kind, p.default) for p in signature.parameters.values()
    ]
    expected = {key: awaited(hint) for key, hint in hints(method).items()}
    assert hints(its_awaited) == expected


@members
def test_a_method_says_what_it_does(sync: type, name: str) -> None:
    documentation = getattr(PAIRS[sync], name).__doc__
    assert documentation
    if not hasattr(MutableMapping, name):
        assert documentation == getattr(sync, name).__doc__


@pytest.mark.parametrize("sync", PAIRS)
def test_properties_and_fields_are_the_same(sync: type) -> None:
    asynchronous = PAIRS[sync]
    for name, member in vars(sync).items():
        if isinstance(member, property):
            its_awaited = getattr(asynchronous, name)
            assert isinstance(its_awaited, property)
            assert member.fget is not None
            assert its_awaited.fget is not None
            assert its_awaited.__doc__ == member.__doc__
            expected = awaited(hints(member.fget)["return"])
            if name == "attempts":  # which reads
                expected = Awaitable[expected]  # type: ignore[valid-type]
            assert hints(its_awaited.fget)["return"] == expected
    if attrs.has(sync):
        assert [field.name for field in attrs.fields(asynchronous)] == [
            field.name for field in attrs.fields(sync)
        ]
        assert {name: awaited(hint) for name, hint in hints(sync).items()} == hints(asynchronous)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("sync", "attribute", "name"),
    [
        pytest.param(sync, attribute, name, id=f"{sync.__name__}.{name}")
        for sync, attribute in (
            (ExperimentSession, None),
            (PathHierarchy, "paths"),
            (SequenceCollection, "sequences"),
        )
        for name in dir(sync)
        if inspect.isfunction(getattr(sync, name)) and name[0] != "_" and name not in NOT_AWAITED
    ],
)
async def test_a_method_hands_on_what_it_is_given_and_what_comes_back(
    sync: type, attribute: str | None, name: str
) -> None:
    def session(*, write: bool = False) -> MagicMock:
        assert write
        return recorder

    recorder = MagicMock()
    recorder.__enter__.return_value = inside = create_autospec(ExperimentSession, instance=True)
    target = inside
    if attribute is not None:
        target = create_autospec(sync, instance=True)
        setattr(inside, attribute, target)
    parameters = list(inspect.signature(getattr(sync, name)).parameters)[1:]
    arguments = {parameter: getattr(sentinel, parameter) for parameter in parameters}
    getattr(target, name).return_value = sentinel.result

    storage = MagicMock(spec=StorageManager)
    storage.session = session
    async with StorageManager.async_session(storage, write=True) as awaiting:
        owner = awaiting if attribute is None else getattr(awaiting, attribute)
        assert await getattr(owner, name)(**arguments) is sentinel.result
    [call] = getattr(target, name).mock_calls
    bound = inspect.signature(getattr(sync, name)).bind(None, *call.args, **call.kwargs)
    assert {key: bound.arguments[key] for key in parameters} == arguments


def test_opening_a_session_takes_the_arguments_of_the_sync_one() -> None:
    signature = inspect.signature(StorageManager.session)
    assert (
        inspect.signature(StorageManager.async_session).parameters.keys()
        == signature.parameters.keys()
    )
    assert ExperimentSessionMaker is StorageManager


def test_following_takes_the_arguments_of_the_sync_one() -> None:
    signature = inspect.signature(StorageManager.follow)
    its_awaited = inspect.signature(StorageManager.async_follow)
    assert its_awaited.parameters == signature.parameters
    assert its_awaited.return_annotation == awaited(signature.return_annotation)


def test_objects_name_their_path() -> None:
    sequence = AsyncSequence(str(PATH), AsyncExperimentSession(MagicMock()))
    assert str(sequence) == str(PATH)
    assert str(PATH)[1:].rpartition("\\")[2] in repr(sequence)
    assert repr(sequence.get_shot(3)).startswith("AsyncShot(")
    assert sequence.get_shot(3).sequence_path == PATH
