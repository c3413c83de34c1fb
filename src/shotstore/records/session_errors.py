"""The errors for a session that is not used in its block, and once."""

from shotstore.errors import ExperimentSessionNotActiveError


def session_used_twice_error(opened: str = "storage.session()") -> RuntimeError:
    """A session was entered that had been entered before; ``opened`` is how to open one."""
    return RuntimeError(f"A session is used once: open a new one with {opened}.")


def session_not_active_error(
    block: str = "with storage.session() as session:",
) -> ExperimentSessionNotActiveError:
    """A session was used before its block was entered, or after it was left; ``block`` is how to
    enter it."""
    return ExperimentSessionNotActiveError(
        f"The session is used outside its block: write `{block}` and use it, and what it has "
        "given, inside."
    )


def session_pickled_error() -> TypeError:
    """A session was to be pickled, or copied."""
    return TypeError("A session cannot be pickled: pickle its storage, and open one there.")
