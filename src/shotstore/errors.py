"""Every error that shotstore raises.

Each inherits from the builtin that callers already catch: ``RuntimeError`` for what is wrong with
the state of things, ``ValueError`` for what is wrong with an argument.
"""


class InvalidPathFormatError(ValueError):
    """The text is not a valid path, or a name in it cannot be stored as a directory."""


class PathError(RuntimeError):
    """The path is not what the operation needs. Base of all errors about the tree."""


class PathNotFoundError(PathError):
    """Nothing exists at the path."""


class PathExistsError(PathError):
    """Something exists at the path already."""


class PathIsSequenceError(PathError):
    """The path is a sequence where a folder is needed."""


class PathIsNotSequenceError(PathError):
    """The path is a folder where a sequence is needed."""


class PathIsRootError(PathError):
    """The root cannot be created, moved, deleted or made a sequence."""


class PathHasChildrenError(PathError):
    """The folder holds other paths, so it cannot become a sequence."""


class RecursivePathMoveError(PathError):
    """A path cannot be moved into itself."""


class SequenceStateError(RuntimeError):
    """The sequence is in a state that does not allow the operation."""


class InvalidStateTransitionError(SequenceStateError):
    """The sequence cannot go from its state to the requested one."""


class SequenceNotEditableError(SequenceStateError):
    """Only a sequence in the state DRAFT can be edited."""


class SequenceNotLaunchedError(SequenceStateError):
    """The sequence is a draft: it has no launch configuration and no times yet."""


class SequenceNotRunningError(SequenceStateError):
    """Only a sequence in the state RUNNING takes shots."""


class SequenceRunningError(SequenceStateError):
    """A sequence that is preparing or running cannot be moved or deleted."""


class SequenceNotCrashedError(SequenceStateError):
    """Only a sequence in the state CRASHED has an exception."""


class RunDeletedError(SequenceStateError):
    """The sequence whose shots were followed was reset or deleted, and they with it."""


class DataNotFoundError(RuntimeError):
    """The shot has no data under this label."""


class IncompatibleUnitsError(ValueError):
    """The shots have a parameter in units that cannot be converted into each other."""


class InvalidConditionError(ValueError):
    """The text is not a condition, or does not fit the shots or sequences that it is asked of."""


class MissingPackageError(ImportError):
    """A package that only some installations have is needed. The message says how to get it."""


class ColumnKindError(TypeError):
    """A column does not hold what is asked of it: numbers for a plot, frames for a picture."""


class ExportError(ValueError):
    """A file of this format cannot hold what is asked for."""


class ExportWarning(UserWarning):
    """A file does not hold a column, or not as it was recorded."""


class ShotNotFoundError(RuntimeError):
    """The sequence has no shot of this index."""


class ShotExistsError(RuntimeError):
    """The sequence has a shot of this index already."""


class ExperimentSessionNotActiveError(RuntimeError):
    """The session is used before its ``with`` block is entered or after it was left."""


class UnknownUnitError(ValueError):
    """Neither pint nor a store that is in use knows the unit."""


class StorageError(RuntimeError):
    """The storage could not do what was asked. Base of all errors below the tree."""


class UnitConflictError(StorageError):
    """A store means something else by the name of a unit than this process does already."""


class StorageLockTimeoutError(StorageError):
    """Another session or process held a lock for longer than the storage's timeout."""


class TransactionConflictError(StorageError):
    """What this session has read was changed by another one: run the block again."""


class CommitUncertainError(StorageError):
    """The transaction is committed, or will be when the store is next opened."""


class UnreadableConfigurationError(StorageError):
    """The serializer of the storage cannot read a recipe or a configuration that is not damaged.

    Its class has changed since, or the serializer of another program has written it.
    """

    tag: str | None = None
    """The name under which its class is stored, where there is one."""


class LostConfigurationError(UnreadableConfigurationError, DataNotFoundError):
    """A part of what a sequence was launched with is lost: a recovery could not read it."""


class DamagedStorageError(StorageError):
    """A file of the store cannot be what shotstore wrote. The message names it and the remedy."""

    why: str | None = None
    """What is wrong with a document, as a clause; the message says it too."""
