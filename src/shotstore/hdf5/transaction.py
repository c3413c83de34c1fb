"""One transaction: what a session has read and changed, and its locks, from its start to its end.

It has no user code inside and never refers to the session that owns it, so it ends in order even
where the session is dropped. All of it runs on worker threads.
"""

import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from shotstore.errors import CommitUncertainError, PathError, StorageError
from shotstore.hdf5 import net_effect
from shotstore.hdf5.active import ActiveSequences
from shotstore.hdf5.documents import SequenceDocument
from shotstore.hdf5.dropped import call_when_dropped, forget
from shotstore.hdf5.listing import directories_below, read_below
from shotstore.hdf5.names import FILES_OF_ROWS
from shotstore.hdf5.other_documents import OtherDocuments
from shotstore.hdf5.places import root_node
from shotstore.hdf5.session_files import SessionFiles
from shotstore.hdf5.session_results import SessionResults
from shotstore.hdf5.session_shots import SessionShots
from shotstore.hdf5.shots.launch import Launch
from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.snapshot import Snapshot
from shotstore.hdf5.staging import Staging
from shotstore.hdf5.store import Store
from shotstore.hdf5.thrown_away import ThrownAway
from shotstore.hdf5.tree import Node, Tree
from shotstore.hdf5.worker import run, wait_if_exiting
from shotstore.paths import PureSequencePath
from shotstore.records.owner import Owner
from shotstore.records.stored_transaction import StoredTransaction

_T = TypeVar("_T")


class Transaction(StoredTransaction):
    """What a session does to a store."""

    def __init__(self, store: Store, owner: Owner) -> None:
        """``owner`` is whose session it is."""
        self.store = store
        self._owner = owner
        self._process = os.getpid()
        self._mutex = threading.RLock()
        self._release_write: Callable[[], None] | None = None
        self._first_commits: int | None = None
        self._snapshot = Snapshot(store.commits, store.known)
        self.tree = Tree(self._snapshot, root_node(store), store.root)
        self.active = ActiveSequences(self.tree, self._snapshot.read)
        """Those that an experiment works on."""
        self._staging = Staging(store.root)
        self._restored: list[str] = []
        self.other_documents = OtherDocuments(self._snapshot)
        shared = store, self.tree, self._snapshot, self._staging, self._has_seen_commits
        shots_files, results_files = (SessionFiles(name, *shared) for name in FILES_OF_ROWS)
        self.shots = SessionShots(shots_files, store, self.tree)
        self.results = SessionResults(results_files, store, self.tree)
        self._files = shots_files, results_files
        self.thrown_away = ThrownAway(self.tree, self.shots, self.results)
        self._has_changes = False
        self._has_ended_one = False
        self.has_committed = False
        """Whether anything in the store is another than before, by this transaction."""
        self._failure: BaseException | None = None
        self._has_worked = False
        """Whether anything may have been opened, locked or changed."""
        self._is_glancing = False
        self.is_open = True

    def check_open(self) -> None:
        if not self.is_open:
            wait_if_exiting()
            super().check_open()

    def run(self, job: Callable[[], _T]) -> _T:
        """Call a function that works on this transaction, on a worker thread."""
        if not self.is_open:
            self.check_open()
        self._has_worked = True

        def work() -> _T:
            # Only a caller that was interrupted twice while it waited finds the mutex taken.
            with self._mutex:
                self._check_usable()
                if self._is_glancing:
                    self._end_glance()
                return job()

        return run(work)

    def read(self, job: Callable[[], _T]) -> _T:
        """Call a function that reads files, on a worker thread, while commits are kept out."""

        def work() -> _T:
            with self._reading():
                return job()

        return self.run(work)

    def read_here(self, job: Callable[[], _T | None]) -> _T | None:
        """Call a function that reads, on the thread of the caller, what is known to lie in an open
        file, without HDF5 and while others commit; unless this session has written."""
        self.check_open()
        with self._mutex:
            self._check_usable()
            return job() if self._release_write is None else None

    def glance(self, job: Callable[[], _T | None]) -> _T | None:
        """Call a function that reads documents on the thread of the caller and without a lock, as
        the first that this session reads. It gets those that were read before and are as they were:
        nothing but the counter is opened, and a Ctrl-C finds nothing half-done.

        Returns:
            What the function does; None if all is to be read in the usual way: it says so, a
            document has changed, or something is being committed.
        """
        self.check_open()
        with self._mutex:
            self._check_usable()
            commits = None if self._has_worked else self.store.settled()
            known = self.store.commits
            if commits is None or commits != known.counted or not known.files.lie_in_place:
                return None
            self._end_glance()
            if self._first_commits is not None:
                return None
            self._is_glancing = True
            self._snapshot.commits, self._snapshot.may_open = commits, False
            with suppress(StorageError, PathError):  # said when it is read in the usual way
                found = job()
                if found is not None and self.store.settled() == commits:
                    self._first_commits, self._snapshot.may_open = commits, True
                    self._is_glancing = False
                    return found
            self._end_glance()
            return None

    def _end_glance(self) -> None:
        """Forget what was seen in one that came to nothing: others may have committed since."""
        if self._is_glancing:
            self._snapshot.forget()
            self._snapshot.may_open = True
            self.tree.root.children.clear()
            self._is_glancing = False

    def write(self, job: Callable[[], _T]) -> _T:
        """Call a function that changes something, on a worker thread, with the write lock.

        It must check everything before it changes anything.

        Raises:
            StorageLockTimeoutError: another session keeps on writing.
            TransactionConflictError: another session has changed what this one has read.
            StorageError: the store was opened for reading.
        """

        def work() -> _T:
            self._begin_writing()
            result = job()
            self._has_changes = True
            return result

        return self.run(work)

    def begin_writing(self) -> None:
        """Take the write lock; see `write`."""
        self.run(self._begin_writing)

    # Reading

    def load_below(self, path: PureSequencePath, *, documents: bool) -> None:
        """Read the tree below a path as it was at one moment, as far as it is not known yet."""

        def job() -> None:
            with self._reading():
                node = self.tree.find(path)
            directories = [] if node is None else directories_below(node)
            known = self._snapshot
            known.adopt(read_below(known, directories, self._reading, documents=documents))

        self.run(job)

    def document(self, node: Node) -> SequenceDocument:
        """The document of a sequence; its shots are kept from being moved away, and from growing in
        number, which its document says only once it has ended."""
        document = self.tree.document(node)
        if self._release_write is None:  # or nobody else could change them
            self.shots.hold(node, document)
        return document

    # Writing. Each of these is called inside `write`, once everything is checked.

    def change_document(self, node: Node, document: SequenceDocument) -> None:
        """Give a sequence another document."""
        had_ended = node.document is not None and node.document.state.has_ended()
        self._has_ended_one |= document.state.has_ended() and not had_ended
        node.document = document
        node.is_changed = True

    def launch(self, node: Node, document: SequenceDocument, launch: Launch) -> None:
        """Give a sequence its shots file and the document of its new state."""
        with self.appending():
            self.shots.files.create(node, document.id, launch, str(node.path))
        self.change_document(node, document)

    @contextmanager
    def appending(self) -> Iterator[None]:
        """A failure in here leaves a file half-written: the transaction can only be discarded."""
        try:
            yield
        except BaseException as error:
            self._failure = error
            raise

    def new_slot(self) -> Path:
        """A name in the staging directory; inside `write`."""
        return self.store.root / self._staging.slot()

    def reset(self, node: Node, draft: SequenceDocument) -> None:
        """Give a sequence the document of a draft, and send its shots to the trash."""
        self.thrown_away.empty(node)
        self.change_document(node, draft)

    def replace_damaged(
        self, node: Node, document: SequenceDocument, content: bytes, files: Collection[str]
    ) -> str:
        """Give a sequence another document; the damaged one, of this content, goes to the trash,
        and these of its files too. Return the entry there."""
        entry = self.thrown_away.replace(node, content, files)
        self.change_document(node, document)
        return entry

    def begin_again(self, node: Node, launch: Launch | None, launched_at: str) -> ShotsFile:
        """Give a sequence an empty shots file or, without a launch, an empty results file, in the
        place of the one that went to the trash. It is to be appended to inside `appending`."""
        files = self.results.files if launch is None else self.shots.files
        with self.appending():
            return files.create(node, self.tree.document(node).id, launch, launched_at)

    def restore(self, entry: str, directory: str, destination: PureSequencePath) -> None:
        """Bring a directory of the trash back to a path where nothing is."""
        name = destination.parts[-1]
        node = Node(name, directory, is_sequence=self._snapshot.kind(directory) == "sequence")
        self.tree.check_moved(node, destination)
        node.attach(self.tree.make_room(destination), name)
        self._restored.append(entry)

    # The end

    def commit(self) -> None:
        """Make everything durable, at once, and end.

        Raises:
            CommitUncertainError: it is committed, or will be when the store is next opened.
            Exception: nothing has changed.
        """

        def job() -> None:
            with self._mutex:
                if not self.is_open:
                    return
                is_done = True
                try:
                    self._check_usable()
                    if self._has_changes:
                        is_done = self._commit()
                except CommitUncertainError:
                    self._end(discard=False, keep_staging=True)
                    raise
                except BaseException:
                    self._end(discard=True)
                    raise
                self._end(discard=False, keep_staging=not is_done)

        self._check_process()
        if self._has_worked:
            run(job)
        else:
            self.is_open = False
            forget(self.rollback)
        if self.has_committed:
            self.store.after_writing()

    def rollback(self) -> None:
        """Discard everything and end."""

        def job() -> None:
            with self._mutex:
                if self.is_open:
                    self._end(discard=True)

        if self.is_open and os.getpid() == self._process:
            run(job)

    def rollback_when_dropped(self, owner: object) -> None:
        call_when_dropped(owner, self.rollback)

    def _commit(self) -> bool:
        """Commit; return whether what was staged is not needed any more."""
        for files in self._files:
            files.flush()
        if self._release_write is None:
            self._begin_writing()
        record = net_effect.prepare(
            self.tree,
            self.thrown_away.entries,
            self._restored,
            self.other_documents.replaced,
            self.active.document,
            self._staging,
            {files.name: files.writers for files in self._files},
            self._snapshot.read,
        )
        if record.actions:
            self.store.commits.commit(record, self._files[0].files() | self._files[1].files())
            self.has_committed = True
            if self._has_ended_one:
                # It is committed, and the next session has to do this.
                with suppress(Exception):
                    self.store.commits.rounds.checkpoint()
        with suppress(Exception):  # it is committed, whatever becomes of the open files
            self.store.kept.note_count(self.store.commits.rounds.count)
            self.store.readers.note(self.store.commits.counted)
            if record.moves:
                # Or the trash would not give their space back.
                self.store.kept.close_all()
                self.store.readers.close_all()
            self.shots.keep_open()
            self.results.keep_open()
        return not record.moves or self.store.commits.rounds.is_at_rest

    def _end(self, *, discard: bool, keep_staging: bool = False) -> None:
        self.is_open = False
        # What was changed may be somewhere else by now.
        keep = not (discard or self._has_changes)
        steps = [
            step for files in self._files for step in files.closing(discard=discard, keep=keep)
        ]
        if not keep_staging:
            steps.append(self._staging.remove)
        if self.has_committed:  # before the release, which makes a checkpoint in a closed storage
            steps.append(self.store.membership.note_commit)
        if self._release_write is not None:
            steps.append(self._release_write)
        for step in steps:
            # The outcome stands, and the next writing session clears away what is left.
            with suppress(Exception):
                step()
        forget(self.rollback)

    # Locks

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise StorageError(
                "This session belongs to the process that this one was forked from: open a new one."
            )

    def _check_usable(self) -> None:
        self._check_process()
        if self._failure is not None:
            raise StorageError(
                "This session failed while it was writing, so it can only be left, which discards "
                f"everything it did: {self._failure}"
            ) from self._failure

    @contextmanager
    def _reading(self) -> Iterator[int]:
        if self._release_write is not None:
            yield self.store.commits.counted  # nobody else commits
            return
        with self.store.reading() as commits:
            self._first_commits = commits if self._first_commits is None else self._first_commits
            self._snapshot.commits = None if self.store.is_archive else commits
            yield commits

    def _has_seen_commits(self) -> bool:
        """Whether something was committed since the session began to read."""
        return self._first_commits != self.store.commits.counted

    def _begin_writing(self) -> None:
        if self._release_write is not None:
            return
        release = self.store.acquire_write(self._owner)
        try:
            if self._first_commits not in (None, self.store.commits.counted):
                self._snapshot.check()
                self.shots.check()
                self.results.check()
        except BaseException:
            release()
            raise
        self._release_write = release
