"""What is shown of a shot while its run is followed: its numbers and texts, and no arrays."""

from collections.abc import Collection, Mapping
from datetime import datetime

import attrs
from rich.text import Text

from shotstore import PureSequencePath, SequenceStats, Shot
from shotstore.analysis.recipes import local_parameters
from shotstore.cli.formats import printable
from shotstore.model.quantities import without_unit
from shotstore.model.value_texts import number_text

_SHOWN_KINDS = ("bool", "int", "float", "text")


@attrs.frozen
class ShotNumbers:
    """What is shown of a shot: all but its arrays."""

    path: PureSequencePath
    index: int
    attempt: int
    """1, or more if the shot was taken again."""
    start_time: datetime
    end_time: datetime
    parameters: Mapping[str, bool | int | float | str]
    units: Mapping[str, str | None]
    """Of parameters and of data, by what the table calls them."""
    data: Mapping[str, object]
    shown_parameters: tuple[str, ...]
    """Those that the sequence sets, or all if it sets none."""
    stats: SequenceStats

    @classmethod
    def of(cls, shot: Shot) -> "ShotNumbers":
        """Read a shot."""
        sequence, reader = shot.sequence, shot.sequence._reader_()
        labels = [
            label for label, kind in sequence.get_data_schema().items() if kind.kind in _SHOWN_KINDS
        ]
        parameters = shot.get_parameters()
        data = reader.get_shot_data_it_has(shot.index, labels)
        set_by_it = local_parameters(reader)
        return cls(
            path=sequence.path,
            index=shot.index,
            attempt=reader.count_attempts(shot.index),
            start_time=shot.get_start_time(),
            end_time=shot.get_end_time(),
            parameters={name: without_unit(value)[0] for name, value in parameters.items()},
            units={
                **{
                    _title(label, parameters): without_unit(value)[1]
                    for label, value in data.items()
                },
                **{name: without_unit(value)[1] for name, value in parameters.items()},
            },
            data={label: without_unit(value)[0] for label, value in data.items()},
            shown_parameters=tuple(name for name in parameters if name in set_by_it)
            or tuple(parameters),
            stats=sequence.get_stats(),
        )

    @property
    def title(self) -> str:
        """The index, and which attempt it is."""
        return f"{self.index}" if self.attempt == 1 else f"{self.index} (attempt {self.attempt})"

    def cells(self) -> dict[str, str]:
        """What the table shows, by name."""
        return {
            **{name: number_text(self.parameters[name]) for name in self.shown_parameters},
            **{
                _title(label, self.parameters): number_text(value)
                for label, value in self.data.items()
            },
        }

    def as_line(self) -> Text:
        """The same on one line."""
        pieces = [f"{self.start_time.astimezone():%H:%M:%S}  shot {self.title}"]
        for name in self.shown_parameters:
            value = number_text(self.parameters[name])
            pieces.append(f"{printable(name)} = {value} {self.units[name] or ''}".rstrip())
        for label, measured in self.data.items():
            title = _title(label, self.parameters)
            text = f"{number_text(measured)} {self.units[title] or ''}".rstrip()
            pieces.append(f"{printable(title)} = {printable(text)}")
        return Text("  ".join(pieces))


def _title(label: str, parameters: Collection[str]) -> str:
    """What data is called beside parameters, as in the columns of a table."""
    return f"data.{label}" if label in parameters else label
