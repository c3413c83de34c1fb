"""Where the files of paths lie, and how large they are."""

import os
from pathlib import Path

from shotstore.hdf5 import on_disk
from shotstore.hdf5.names import SEQUENCE_DOCUMENT, directory_name, path_name
from shotstore.hdf5.snapshot import Snapshot
from shotstore.hdf5.store import SEQUENCES, Store
from shotstore.hdf5.tree import Node, Tree
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules


def root_node(store: Store) -> Node:
    """The root of the tree of a store; of a folder of sequences; or of one sequence alone."""
    if not store.is_archive:
        return Node("", SEQUENCES, is_sequence=False)
    snapshot = Snapshot(store.commits)
    if snapshot.kind("") != "sequence":
        return Node("", "", is_sequence=False)
    root = Node("", None, is_sequence=False)
    name = path_name(store.root.name) or "sequence"
    if not PureSequencePath.is_valid_name(name):
        name = "sequence"
    root.children[name] = Node(name, "", root, is_sequence=True)
    return root


def directory_of(store: Store, path: PureSequencePath) -> Path:
    """Where the files of a path lie.

    Raises:
        PathNotFoundError: nothing is at the path.
        InvalidPathFormatError: a name in it is too long for the disk, so that nothing can be there.
        DamagedStorageError: a directory that would hold it cannot be read.
    """
    root = root_node(store)
    alone = next(iter(root.children), None)
    if alone is not None:  # a sequence without a store around it
        if path.parts not in ((), (alone,)):
            raise path_rules.path_not_found_error(path)
        return store.root
    for name in path.parts:
        directory_name(name)
    found = Tree(Snapshot(store.commits), root, store.root).get(path)
    return store.root / (found.directory or "")


def sizes(store: Store, path: PureSequencePath) -> dict[PureSequencePath, int]:
    """Bytes in all files of each folder and sequence at and below a path.

    No lock is held: while others write, some files may be counted before and some after.

    Raises:
        PathNotFoundError: nothing is at the path.
    """
    directory = directory_of(store, path)
    found: dict[PureSequencePath, int] = {}
    if path.is_root() and on_disk.is_regular_file(directory / SEQUENCE_DOCUMENT):
        alone = path / next(iter(root_node(store).children))
        found[path] = _add(str(directory), alone, found)
    else:
        _add(str(directory), path, found)
    return found


def _add(directory: str, path: PureSequencePath, found: dict[PureSequencePath, int]) -> int:
    size = 0
    directories = []
    is_sequence = False
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    directories.append(entry)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
                    is_sequence |= entry.name == SEQUENCE_DOCUMENT
    except FileNotFoundError:  # moved away meanwhile, as a commit does it
        return size
    except OSError:  # not to be looked into
        found[path] = size
        return size
    for entry in directories:
        name = None if is_sequence else path_name(entry.name)
        if name is not None and PureSequencePath.is_valid_name(name):
            size += _add(entry.path, path / name, found)
        else:
            size += _size_of_others(entry.path)
    found[path] = size
    return size


def _size_of_others(directory: str) -> int:
    try:
        return on_disk.size_of_tree(directory)
    except FileNotFoundError:
        return 0
