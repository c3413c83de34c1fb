"""`copy_path` between storages of every kind: everything arrives, and comes back, as it was."""

import itertools
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from shotstore import (
    DamagedStorageError,
    ParameterNamespace,
    PathHasChildrenError,
    PathIsSequenceError,
    PathNotFoundError,
    PureSequencePath,
    SequenceRunningError,
    State,
    StorageError,
    StorageManager,
    UnknownDeviceConfiguration,
    UnreadableConfigurationError,
)
from shotstore.copy import CopyProgress, IncompleteCopyError, copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    DefaultSerializer,
    TimeLanes,
    UnknownIterationConfiguration,
    UnknownTimeLane,
)
from shotstore.records.content import Setting
from shotstore.records.settings import read_settings
from shotstore.sql import (
    PostgreSQLConfig,
    PostgreSQLStorageManager,
    SQLiteConfig,
    SQLiteStorageManager,
)
from shotstore.testing import exactly_equal, serializer
from shotstore.testing.experiments import (
    PARAMETERS,
    PATH,
    START,
    STOP,
    bring_to,
    create,
    finish,
    launch,
    path,
    record,
)
from tests.copying.conftest import Opened
from tests.copying.lab import (
    CRASHED_BEFORE_ITS_START,
    EMPTY_FOLDER,
    ORDER,
    UNKNOWN,
    everything,
    populate,
)

ROOT = PureSequencePath.root()
PICTURE = np.arange(4096, dtype="<u2").reshape(64, 64)


@pytest.fixture(scope="module")
def full_store(tmp_path_factory: pytest.TempPathFactory) -> HDF5StorageManager:
    """A store of files with something of everything; only read."""
    storage = HDF5StorageManager(tmp_path_factory.mktemp("full") / "lab", serializer=serializer())
    populate(storage)
    return storage


@pytest.fixture(params=["files", "sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    """Of the destination."""
    return str(request.param)


@pytest.mark.parametrize("ways", ["files", "sqlite", "postgresql", "postgresql sqlite"])
def test_everything_arrives_and_comes_back(
    ways: str, full_store: HDF5StorageManager, opened: Opened
) -> None:
    expected = everything(full_store)
    storage: StorageManager = full_store
    for kind in ways.split():
        there = opened(kind, f"there {kind}")
        copied = copy_path(ROOT, storage, there, progress=False)
        assert exactly_equal(everything(there), expected)
        assert (copied.skipped, copied.failed) == ({}, {})
        storage = there
    back = opened("files", "back")
    copied = copy_path("\\", storage, back, progress=False)
    assert exactly_equal(everything(back), expected)
    assert back.verify().findings == []  # type: ignore[attr-defined]
    with full_store.session() as session:
        assert set(copied.sequences) == session.sequences.get_contained_sequences(ROOT)
        sequences = [session.get_sequence(sequence) for sequence in copied.sequences]
        assert copied.shots == sum(map(len, sequences))


def test_shots_arrive_in_the_order_they_were_recorded(
    full_store: HDF5StorageManager, opened: Opened
) -> None:
    for kind in ("files", "sqlite"):
        storage = opened(kind, "there")
        copy_path(PATH, full_store, storage, progress=False)
        with storage.session() as session:
            assert [shot.index for shot in session.sequences.get_shots(PATH)] == ORDER


def test_a_sequence_comes_with_the_folders_above_it_and_nothing_else(
    full_store: HDF5StorageManager, opened: Opened, kind: str
) -> None:
    storage = opened(kind, "there")
    copied = copy_path(CRASHED_BEFORE_ITS_START, full_store, storage, progress=False)
    assert copied.sequences == (CRASHED_BEFORE_ITS_START,)
    with storage.session() as there, full_store.session() as here:
        assert there.paths.get_all_paths() == {PATH.parent, CRASHED_BEFORE_ITS_START}
        for found in there.paths.get_all_paths():
            dates = [session.paths.get_path_creation_date(found) for session in (there, here)]
            assert dates[0] == dates[1]
        assert there.get_global_parameters() == ParameterNamespace.empty()
        assert len(there.default_device_configurations) == 0
        stats = there.sequences.get_stats(CRASHED_BEFORE_ITS_START)
        assert (stats.state, stats.start_time) == (State.CRASHED, None)


def test_a_folder_is_merged_into_one_that_is_there(
    full_store: HDF5StorageManager, opened: Opened, kind: str
) -> None:
    storage = opened(kind, "there")
    folder = EMPTY_FOLDER.get_ancestors()[1]
    with storage.session() as session:
        bring_to(session, State.FINISHED, folder / "mine")
        session.paths.update_creation_date(folder, START)
    copy_path(folder, full_store, storage, progress=False)
    with storage.session() as session:
        assert session.sequences.is_sequence(folder / "mine")
        assert session.sequences.is_sequence(UNKNOWN)
        assert session.paths.does_path_exists(EMPTY_FOLDER)
        assert session.paths.get_path_creation_date(folder) == START


def test_an_empty_folder_becomes_the_sequence(opened: Opened, kind: str) -> None:
    source, storage = opened("files", "here"), opened(kind, "there")
    with source.session() as session:
        bring_to(session, State.FINISHED)
        session.paths.update_creation_date(PATH, START)
    with storage.session() as session:
        session.paths.create_path(PATH)
    copy_path(PATH, source, storage, progress=False)
    assert exactly_equal(everything(storage)[str(PATH)], everything(source)[str(PATH)])


def test_defaults_of_the_destination_are_kept(
    full_store: HDF5StorageManager, opened: Opened, kind: str
) -> None:
    storage = opened(kind, "there")
    mine = ParameterNamespace.from_mapping({"mine": "1"})
    laser = UnknownDeviceConfiguration("Laser", {"power": 7})
    with storage.session() as session:
        session.set_global_parameters(mine)
        session.default_device_configurations["laser/1"] = laser
    copy_path(ROOT, full_store, storage, progress=False)
    with storage.session() as session:
        assert session.get_global_parameters() == mine
        assert set(session.default_device_configurations) == {"camera", "laser/1"}
        assert session.default_device_configurations["laser/1"] == laser


def test_others_write_to_a_server_while_a_sequence_is_copied_to_it(
    full_store: HDF5StorageManager, postgresql_config: PostgreSQLConfig
) -> None:
    server = PostgreSQLStorageManager(postgresql_config, serializer=serializer(), lock_timeout=0)
    running = path(r"\2026\running")
    recorded: list[int] = []
    with server.session() as session:
        launch(session, running)

    def shoot(progress: CopyProgress) -> None:
        if 0 < progress.shots < len(ORDER) and not recorded:
            recorded.append(progress.shots)
            with server.session() as session:
                record(session, running, 7)

    copy_path(PATH, full_store, server, progress=shoot)
    assert recorded == [1]
    with server.session() as session:
        assert [shot.index for shot in session.sequences.get_shots(running)] == [7]
    assert exactly_equal(everything(server)[str(PATH)], everything(full_store)[str(PATH)])


# What is there already


def test_nothing_is_copied_if_a_sequence_is_there(
    full_store: HDF5StorageManager, opened: Opened, kind: str
) -> None:
    storage = opened(kind, "there")
    with storage.session() as session:
        create(session, UNKNOWN)
    before = everything(storage)
    with pytest.raises(PathIsSequenceError, match=r'unknown class.*existing="skip"'):
        copy_path(ROOT, full_store, storage, progress=False)
    assert everything(storage) == before


def test_sequences_that_are_there_are_left_alone(
    full_store: HDF5StorageManager, opened: Opened, kind: str
) -> None:
    storage = opened(kind, "there")
    with storage.session() as session:
        create(session, UNKNOWN)
    copied = copy_path(ROOT, full_store, storage, existing="skip", progress=False)
    assert copied.skipped == {UNKNOWN: "it is in the destination already"}
    with storage.session() as session:
        assert session.sequences.get_state(UNKNOWN) is State.DRAFT
        assert session.sequences.get_state(PATH) is State.CRASHED
    again = copy_path(ROOT, full_store, storage, existing="skip", progress=False)
    assert (again.sequences, again.shots, again.size) == ((), 0, 0)
    assert len(again.skipped) == len(copied.sequences) + 1


@pytest.mark.parametrize("existing", ["error", "skip"])
def test_a_sequence_where_a_folder_is_to_be_is_refused(
    full_store: HDF5StorageManager, opened: Opened, kind: str, existing: str
) -> None:
    storage = opened(kind, "there")
    with storage.session() as session:
        create(session, path(r"\states"))
    with pytest.raises(PathIsSequenceError, match=r"\\states is a folder in the source"):
        copy_path(ROOT, full_store, storage, existing=existing, progress=False)  # type: ignore[arg-type]
    with pytest.raises(PathIsSequenceError):
        copy_path(path(r"\states\finished"), full_store, storage, progress=False)
    with storage.session() as session:
        assert session.paths.get_all_paths() == {path(r"\states")}


def test_a_folder_where_a_sequence_is_to_be_is_refused(
    full_store: HDF5StorageManager, opened: Opened, kind: str
) -> None:
    storage = opened(kind, "there")
    with storage.session() as session:
        session.paths.create_path(PATH / "folder")
    with pytest.raises(PathHasChildrenError, match="Nothing was copied"):
        copy_path(ROOT, full_store, storage, existing="skip", progress=False)
    with storage.session() as session:
        assert session.paths.get_all_paths() == {PATH.parent, PATH, PATH / "folder"}


# What cannot be copied


@pytest.mark.parametrize("state", [State.PREPARING, State.RUNNING])
def test_a_sequence_that_an_experiment_works_on_is_not_copied(
    state: State, opened: Opened, kind: str
) -> None:
    source, storage = opened("files", "here"), opened(kind, "there")
    with source.session() as session:
        bring_to(session, state)
        bring_to(session, State.FINISHED, path(r"\2026\done"))
    with pytest.raises(SequenceRunningError, match="before copying it"):
        copy_path(PATH, source, storage, progress=False)
    copied = copy_path(path(r"\2026"), source, storage, progress=False)
    assert copied.sequences == (path(r"\2026\done"),)
    assert copied.skipped == {PATH: "an experiment is working on it"}
    with storage.session() as session:
        assert not session.paths.does_path_exists(PATH)


def test_what_is_not_there_is_not_copied(opened: Opened, full_store: HDF5StorageManager) -> None:
    storage = opened("files", "there")
    with pytest.raises(PathNotFoundError) as raised:
        copy_path(r"\2026\rabbi", full_store, storage, progress=False)
    assert str(PATH) in raised.value.__notes__[0]
    assert everything(storage).keys() == {"parameters", "devices"}


def test_a_storage_is_not_copied_into_itself(tmp_path: Path, opened: Opened) -> None:
    store = opened("files", "here")
    with pytest.raises(StorageError, match="into itself"):
        copy_path(ROOT, store, HDF5StorageManager(tmp_path / "here"), progress=False)
    database = opened("sqlite", "here")
    again = SQLiteStorageManager(SQLiteConfig(tmp_path / "here.db"))
    with pytest.raises(StorageError, match="into itself"):
        copy_path(ROOT, database, again, progress=False)


def test_existing_is_error_or_skip(opened: Opened) -> None:
    with pytest.raises(ValueError, match="overwrite"):
        copy_path(ROOT, opened("files", "a"), opened("files", "b"), existing="overwrite")  # type: ignore[arg-type]


def test_one_damaged_sequence_does_not_stop_the_others(opened: Opened) -> None:
    source, storage = opened("files", "here"), opened("sqlite", "there")
    assert isinstance(source, HDF5StorageManager)
    bad, good = path(r"\2026\a"), path(r"\2026\b")
    with source.session() as session:
        for sequence in (bad, good):
            launch(session, sequence)
            record(session, sequence, 0)
            record(session, sequence, 1, data={"picture": PICTURE})
            finish(session, sequence)
    flip_a_bit(source.root / "sequences" / "2026" / "a" / "shots.h5")
    reason = r"1 of 2 sequences.*\\2026\\a: .*is damaged"
    with pytest.raises(IncompleteCopyError, match=reason) as raised:
        copy_path(ROOT, source, storage, progress=False)
    copied = raised.value.copied
    assert copied.sequences == (good,)
    assert isinstance(copied.failed[bad], DamagedStorageError)
    with storage.session() as session:
        assert session.sequences.get_contained_sequences(ROOT) == {good}
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)
    with pytest.raises(DamagedStorageError):
        copy_path(bad, source, storage, progress=False)


def flip_a_bit(file: Path) -> None:
    """In the picture."""
    content = bytearray(file.read_bytes())
    content[content.index(PICTURE.tobytes())] ^= 1
    file.write_bytes(content)


def test_a_class_that_the_destination_does_not_know_is_no_obstacle(
    full_store: HDF5StorageManager, tmp_path: Path
) -> None:
    storage = HDF5StorageManager(tmp_path / "there", serializer=DefaultSerializer())
    database = SQLiteStorageManager(SQLiteConfig(tmp_path / "there.db"))
    database.upgrade()
    copy_path(PATH, full_store, storage, progress=False)  # files need no classes
    copy_path(PATH, full_store, database, progress=False)
    for copy in (storage, database):
        with copy.session() as session:
            camera = session.sequences.get_device_configurations(PATH)["camera"]
            assert isinstance(camera, UnknownDeviceConfiguration)
            assert camera.tag == "CameraConfiguration"


def test_a_storage_without_the_classes_of_a_lab_copies_it_unchanged(
    full_store: HDF5StorageManager, tmp_path: Path
) -> None:
    """As the command line does it, which knows no classes."""
    database = SQLiteStorageManager(SQLiteConfig(tmp_path / "there.db"))
    database.upgrade()
    copy_path(ROOT, HDF5StorageManager(full_store.root), database, progress=False)
    with_classes = SQLiteStorageManager(database.config, serializer=serializer())
    assert exactly_equal(everything(with_classes), everything(full_store))


# How far it is


def test_progress_is_told(full_store: HDF5StorageManager, opened: Opened, kind: str) -> None:
    seen: list[CopyProgress] = []
    copied = copy_path(ROOT, full_store, opened(kind, "there"), progress=seen.append)
    first, last = seen[0], seen[-1]
    assert (first.sequences, first.shots, first.size) == (0, 0, 0)
    assert last.sequences == last.all_sequences == len(copied.sequences)
    assert last.shots == last.all_shots == copied.shots
    assert last.size == copied.size > 0
    for before, after in itertools.pairwise(seen):
        assert (before.sequences, before.shots) <= (after.sequences, after.shots)


def test_no_bar_is_drawn_where_there_is_no_terminal(
    full_store: HDF5StorageManager, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    copy_path(ROOT, full_store, opened("files", "there"))
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


@pytest.mark.parametrize("source", ["files", "sqlite"])
@pytest.mark.parametrize("destination", ["files", "sqlite"])
def test_what_no_class_here_can_read_is_copied_as_it_is(
    opened: Opened, source: str, destination: str
) -> None:
    here, there = opened(source, "here"), opened(destination, "there")
    old = UnknownDeviceConfiguration("CameraConfiguration", {"gain": 3})
    schedule = UnknownIterationConfiguration("Schedule", {"times": [1.5]}, number_of_shots=3)
    lanes = TimeLanes(["pulse"], ["1 us"], {"sound": UnknownTimeLane("Sound", {"loud": 1})})
    with here.session() as session:
        session.default_device_configurations["camera"] = old
        session.set_global_parameters(PARAMETERS)
        session.sequences.create(PATH, schedule, lanes)
        session.sequences.set_preparing(PATH, {"camera": old}, PARAMETERS)
        session.sequences.set_running(PATH, START)
        record(session)
        session.sequences.set_finished(PATH, STOP)
    copied = copy_path("/", here, there, progress=False)
    assert copied.sequences == (PATH,)
    with there.session() as session:
        sequences = session.sequences
        assert session.get_global_parameters() == sequences.get_global_parameters(PATH)
        assert sequences.get_stats(PATH).expected_number_shots == 3
        assert sequences.get_all_shot_data(PATH, 0) == {"counts": 0}
        with pytest.raises(UnreadableConfigurationError):
            sequences.get_device_configurations(PATH)
    found = []
    for storage in (here, there):
        with storage.session() as session:
            records = session._records_()
            node = records.transaction.read(partial(records.tree.get, PATH))
            kept = records.transaction.read(partial(records.read_record, node))
            launched = records.transaction.read(partial(records.read_launch, node))
            found.append((read_settings(records), launched, kept.iteration, kept.time_lanes))
    assert found[0] == found[1]
    assert Setting("device configuration", "camera") in found[0][0]
    assert found[0][1].device_configurations["camera"][1] == old.content
