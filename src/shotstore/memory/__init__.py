"""A storage in memory: the model that others are compared with.

It says what a storage does as simply as that can be said, in dicts of values that are never
changed, only replaced, and it is a storage like any other: it passes the suite itself. What is in
it is gone when the process ends.
"""

from shotstore.memory.storage import InMemoryStorageManager

__all__ = ["InMemoryStorageManager"]
