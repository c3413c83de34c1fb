"""Why nothing was found: names that nothing in the storage has, and what is close to them."""

from collections.abc import Callable, Collection, Iterable, Iterator

from shotstore.analysis.finding.find import matching_names
from shotstore.analysis.finding.path_patterns import PathPattern
from shotstore.analysis.recipes import readable_globals
from shotstore.errors import PathError, StorageError
from shotstore.paths import PureSequencePath
from shotstore.records.closest_names import closest_name
from shotstore.records.sequence_reader import SequenceReader
from shotstore.records.storage_reader import ReadableStorage, StorageReader
from shotstore.records.summaries import SequenceSummary


def unknown_names(
    storage: ReadableStorage,
    pattern: str | PureSequencePath | None = None,
    *,
    parameters: Collection[str] = (),
    label: str | None = None,
    tags: Collection[str] = (),
) -> list[str]:
    """Tell which of the names that were looked for exist nowhere in a storage.

    Args:
        storage: Where nothing was found.
        pattern: Of paths.
        parameters: Names of parameters, which may be the ends of names, with wildcards.
        label: Of data.
        tags: Of sequences.

    Returns:
        A sentence for each, which names the closest one that exists. Shots are looked at where the
        recipes do not have a name.
    """
    with storage.session() as session:
        reader = session._reader_()
        summaries = reader.get_summaries(PureSequencePath.root())
        return list(_sentences(reader, summaries, pattern, parameters, label, tags))


def _sentences(
    storage: StorageReader,
    summaries: list[SequenceSummary],
    pattern: str | PureSequencePath | None,
    parameters: Collection[str],
    label: str | None,
    tags: Collection[str],
) -> Iterator[str]:
    if pattern is not None:
        asked = PathPattern.parse(pattern)
        if not any(asked.matches(summary.path) for summary in summaries):
            paths = [str(path) for path in storage.get_all_paths()]
            closest = _closest(str(pattern), paths, "\\")
            yield f"No sequence is at '{pattern}'{closest}."
    if parameters:
        known = _parameters_of_recipes(storage, summaries)
        unknown = [name for name in parameters if not matching_names(name, known)]
        if unknown:
            known |= _names_in_shots(storage, summaries, SequenceReader.get_parameter_schema)
            known |= _names_in_shots(storage, summaries, SequenceReader.get_data_schema)
            known |= _names_in_shots(storage, summaries, _results)
        for name in unknown:
            if not matching_names(name, known):
                yield f"No sequence has a parameter or data '{name}'{_closest(name, known)}."
    if label is not None:
        labels = _names_in_shots(storage, summaries, SequenceReader.get_data_schema)
        if label not in labels:
            yield f"No shot has data under '{label}'{_closest(label, labels)}."
    there = {tag for summary in summaries for tag in summary.tags}
    for tag in tags:
        if tag not in there:
            yield f"No sequence has the tag '{tag}'{_closest(tag, there)}."


def _parameters_of_recipes(
    storage: StorageReader, summaries: Iterable[SequenceSummary]
) -> set[str]:
    known: set[str] = set()
    for summary in summaries:
        known.update(summary.varied, summary.declared)
    parameters = readable_globals(storage.get_global_parameters)
    known.update(() if parameters is None else parameters.names())
    return known


def _results(sequence: SequenceReader) -> Iterable[str]:
    return sequence.results.get_newest().types


def _names_in_shots(
    storage: StorageReader,
    summaries: Iterable[SequenceSummary],
    names_of: Callable[[SequenceReader], Iterable[str]],
) -> set[str]:
    """The names in all sequences that have shots; those that cannot be read are left out."""
    found: set[str] = set()
    for summary in summaries:
        if summary.number_of_shots:
            try:
                found.update(names_of(storage.get_sequence(summary.path)))
            except (PathError, StorageError, OSError):
                continue
    return found


def _closest(name: str, there: Collection[str], separator: str = ".") -> str:
    """What exists and is close to a name, as a sentence goes on; empty if nothing is."""
    found = closest_name(name, there, separator)
    return f": the closest is '{found}'" if found else ""
