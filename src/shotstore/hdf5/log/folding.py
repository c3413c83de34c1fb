"""Many records of the log as one that does all that they do."""

from collections.abc import Iterable

from attrs import evolve

from shotstore.hdf5.log.record import Document, FilePatch, LogRecord, Rename, digest
from shotstore.hdf5.overlay import PAGE, joined


def fold(records: Iterable[LogRecord]) -> LogRecord:
    """Make one record of those of a round, which are given in their order.

    A record that moves something stands alone in its round; the others patch files, create
    directories, and replace documents.
    """
    patches: dict[str, list[FilePatch]] = {}
    arrivals: dict[str, Rename] = {}
    documents: dict[str, Document] = {}
    folded = LogRecord("")
    for record in records:
        folded = record
        for patch in record.patches:
            patches.setdefault(patch.path, []).append(patch)
        for arrival in record.arrivals:
            arrivals[arrival.destination] = arrival
        for document in record.documents:
            earlier = documents.get(document.path)
            documents[document.path] = (
                document if earlier is None else _fold_documents(earlier, document)
            )
    return evolve(
        folded,
        patches=[each[0] if len(each) == 1 else _fold_patches(each) for each in patches.values()],
        arrivals=[*arrivals.values()],
        documents=[*documents.values()],
    )


def _fold_patches(patches: list[FilePatch]) -> FilePatch:
    folded = patches[0]
    pages: dict[int, bytes] = {}
    for patch in patches:
        if patch.length < folded.length:
            # What a later one has written past this end may be in the file alone.
            pages = {
                at: page[: patch.length - at] for at, page in pages.items() if at < patch.length
            }
        for offset, piece in zip(patch.offsets, patch.pages, strict=True):
            for start in range(0, len(piece), PAGE):
                pages[offset + start] = piece[start : start + PAGE]
        needed = patch.needed if patch.has_tail else min(folded.needed, patch.length)
        folded = evolve(folded, length=patch.length, needed=needed)
    pieces = joined(sorted(pages.items()))
    return evolve(
        folded,
        offsets=[offset for offset, _ in pieces],
        pages=[piece for _, piece in pieces],
    )


def _fold_documents(earlier: Document, later: Document) -> Document:
    may_be_there = [*earlier.replaces, digest(earlier.content), *later.replaces]
    return evolve(later, replaces=[*dict.fromkeys(may_be_there)])
