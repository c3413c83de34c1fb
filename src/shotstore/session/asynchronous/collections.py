"""The tree of folders and sequences, and the sequences with their shots, awaited."""

from collections.abc import Callable
from typing import TypeVar

from shotstore.session.asynchronous.awaited import Awaits, awaited
from shotstore.session.experiment_session import ExperimentSession
from shotstore.session.path_hierarchy import PathHierarchy
from shotstore.session.sequence_collection import SequenceCollection

_T = TypeVar("_T")


class AsyncPathHierarchy:
    """A :class:`~shotstore.PathHierarchy` whose methods are awaited."""

    def __init__(self, session: Awaits[ExperimentSession]) -> None:
        self._session = session

    async def run_sync(self, function: Callable[[PathHierarchy], _T]) -> _T:
        """Call a function with the sync one, in a thread; it keeps nothing of it for later."""
        return await self._session.run_sync(lambda session: function(session.paths))

    does_path_exists = awaited(PathHierarchy.does_path_exists)
    create_path = awaited(PathHierarchy.create_path)
    delete_path = awaited(PathHierarchy.delete_path)
    get_children = awaited(PathHierarchy.get_children)
    get_all_paths = awaited(PathHierarchy.get_all_paths)
    get_path_creation_date = awaited(PathHierarchy.get_path_creation_date)
    update_creation_date = awaited(PathHierarchy.update_creation_date)
    get_note = awaited(PathHierarchy.get_note)
    set_note = awaited(PathHierarchy.set_note)
    move = awaited(PathHierarchy.move)


class AsyncSequenceCollection:
    """A :class:`~shotstore.SequenceCollection` whose methods are awaited."""

    def __init__(self, session: Awaits[ExperimentSession]) -> None:
        self._session = session

    async def run_sync(self, function: Callable[[SequenceCollection], _T]) -> _T:
        """Call a function with the sync one, in a thread; it keeps nothing of it for later."""
        return await self._session.run_sync(lambda session: function(session.sequences))

    # The tree
    is_sequence = awaited(SequenceCollection.is_sequence)
    get_contained_sequences = awaited(SequenceCollection.get_contained_sequences)
    get_sequences_in_state = awaited(SequenceCollection.get_sequences_in_state)
    get_sequences_with_text = awaited(SequenceCollection.get_sequences_with_text)
    get_summaries = awaited(SequenceCollection.get_summaries)
    create = awaited(SequenceCollection.create)

    # The recipe
    get_iteration_configuration = awaited(SequenceCollection.get_iteration_configuration)
    set_iteration_configuration = awaited(SequenceCollection.set_iteration_configuration)
    get_time_lanes = awaited(SequenceCollection.get_time_lanes)
    set_time_lanes = awaited(SequenceCollection.set_time_lanes)

    # The state
    get_state = awaited(SequenceCollection.get_state)
    get_stats = awaited(SequenceCollection.get_stats)
    set_preparing = awaited(SequenceCollection.set_preparing)
    set_running = awaited(SequenceCollection.set_running)
    set_finished = awaited(SequenceCollection.set_finished)
    set_interrupted = awaited(SequenceCollection.set_interrupted)
    set_crashed = awaited(SequenceCollection.set_crashed)
    resume = awaited(SequenceCollection.resume)
    reset_to_draft = awaited(SequenceCollection.reset_to_draft)
    get_exception = awaited(SequenceCollection.get_exception)
    get_interruptions = awaited(SequenceCollection.get_interruptions)
    get_global_parameters = awaited(SequenceCollection.get_global_parameters)
    get_device_configurations = awaited(SequenceCollection.get_device_configurations)

    # Tags and notes
    get_tags = awaited(SequenceCollection.get_tags)
    set_tags = awaited(SequenceCollection.set_tags)
    get_note = awaited(SequenceCollection.get_note)
    set_note = awaited(SequenceCollection.set_note)

    # The shots
    create_shot = awaited(SequenceCollection.create_shot)
    get_shots = awaited(SequenceCollection.get_shots)
    get_shot_attempts = awaited(SequenceCollection.get_shot_attempts)
    get_shot_parameters = awaited(SequenceCollection.get_shot_parameters)
    get_all_shot_data = awaited(SequenceCollection.get_all_shot_data)
    get_shot_data_by_label = awaited(SequenceCollection.get_shot_data_by_label)
    get_shot_data_by_labels = awaited(SequenceCollection.get_shot_data_by_labels)
    get_shot_start_time = awaited(SequenceCollection.get_shot_start_time)
    get_shot_end_time = awaited(SequenceCollection.get_shot_end_time)
    get_parameter_schema = awaited(SequenceCollection.get_parameter_schema)

    # Many shots at once
    get_data_schema = awaited(SequenceCollection.get_data_schema)
    scan = awaited(SequenceCollection.scan)
    get_columns = awaited(SequenceCollection.get_columns)

    # What is found later
    set_results = awaited(SequenceCollection.set_results)
    set_many_results = awaited(SequenceCollection.set_many_results)
    get_results = awaited(SequenceCollection.get_results)
    remove_results = awaited(SequenceCollection.remove_results)
    get_result_schema = awaited(SequenceCollection.get_result_schema)
    get_shot_tags = awaited(SequenceCollection.get_shot_tags)
    set_shot_tags = awaited(SequenceCollection.set_shot_tags)
    get_shot_note = awaited(SequenceCollection.get_shot_note)
    set_shot_note = awaited(SequenceCollection.set_shot_note)
