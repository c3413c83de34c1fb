"""Copy what was added to the shots of a sequence to a copy of it, in any storage."""

from functools import partial

from shotstore.model import check_data
from shotstore.paths import PureSequencePath
from shotstore.records.additions import Additions
from shotstore.records.annotations import check_note, check_tags
from shotstore.records.stored_records import AnyRecords


def copy_additions(path: PureSequencePath, source: AnyRecords, destination: AnyRecords) -> None:
    """Add to the shots of a copy what was added to those of the original, the earlier additions
    too: only one is in memory at a time.

    Args:
        path: That of both; the copy has the same shots in the same rows, and no additions.
        source: What is read in it is of one moment.
        destination: Where the copy is.
    """

    def count() -> int:
        return len(source.additions(source.tree.get(path)))

    def read(number: int) -> Additions:
        found = source.additions(source.tree.get(path))[number]
        return Additions(
            [found.row],
            [found.index],
            found.time,
            found.by,
            {name: [value] for name, value in check_data(found.results(found.types)).items()},
            None if found.tags is None else check_tags(found.tags),
            None if found.note is None else check_note(found.note),
        )

    def append(additions: Additions) -> None:
        destination.append_additions(destination.tree.get(path), additions)

    for number in range(source.transaction.read(count)):
        additions = source.transaction.read(partial(read, number))
        destination.transaction.write(partial(append, additions))
