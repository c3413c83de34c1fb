"""Camera frames of many shots: side by side, or their mean."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.pictures.frames import Frame, places_of_frames, reduced, shown_range, spread
from shotstore.analysis.pictures.plots import GREY, PALE, add_colour_bar, check_axes, new_axes
from shotstore.analysis.tables import (
    END,
    HELD,
    INDEX,
    START,
    Source,
    Table,
    TableColumn,
    as_table,
)
from shotstore.analysis.tables.conditions import Where, check_where, matching_rows
from shotstore.analysis.tables.names import short_name
from shotstore.analysis.times import local_texts
from shotstore.errors import ColumnKindError, DataNotFoundError
from shotstore.model.value_texts import pretty_unit, value_text
from shotstore.records.arguments import as_flag

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 60
_SHEET_PIXELS = 1400
"""Width of a contact sheet: what a screen shows"""
_INCHES = 8.0
_HIGHEST = 40.0
_CAPTION = 0.17
"""Inches above a tile for its caption"""
_WIDTH = 100
"""How many letters of one point of height fit into an inch"""
_SMALLEST, _LARGEST = 5.5, 8.0
"""Points, of captions"""
_SMALLEST_CAPTIONED = 0.45
"""Inches of a tile that is wide enough for a caption"""
_INK = "#22262e"


@attrs.frozen(eq=False)
class ContactSheet:
    """Frames of several shots, made smaller.

    Attributes:
        title: Of which sequence, and which shots.
        tiles: One a shot, shape (height, width) each.
        captions: One a shot: the value of what was varied.
        caption_name: Of what was varied, as captions have it where there is room; may be empty.
        low: The value that is dark.
        high: The value that is bright.
        unit: Of the values, as it is printed.
    """

    title: str
    tiles: tuple[npt.NDArray[np.float64], ...]
    captions: tuple[str, ...]
    caption_name: str
    low: float
    high: float
    unit: str = ""


@attrs.frozen(eq=False)
class MeanImage:
    """The mean of the frames of several shots.

    Attributes:
        title: Of which sequence, and which shots.
        label: What it is a mean of.
        mean: Shape (height, width).
        low: The value that is dark.
        high: The value that is bright.
        unit: Of the values, as it is printed.
    """

    title: str
    label: str
    mean: npt.NDArray[np.float64]
    low: float
    high: float
    unit: str = ""


def plot_image(
    source: Source,
    label: str,
    *,
    mean: bool = False,
    where: "Where | None" = None,
    most: int = _MOST,
    caption: str | None = None,
    axes: "Axes | None" = None,
) -> "Axes":
    """Draw the frames of the shots side by side as a contact sheet, or their mean.

    All frames have one scale, which the bar beside them tells. Frames of the sheet are made smaller
    by taking the mean of blocks of pixels. The mean is computed batch by batch, of any number of
    shots.

    Args:
        source: A sequence, a polars frame, or a dict of arrays, so that what was computed of the
            frames is drawn too.
        label: Under which the frames are: arrays in two dimensions.
        mean: Whether to draw the mean of all frames.
        where: Which shots: ``"detuning > 5 MHz and hold_time <= 2 s"``, or a polars expression.
        most: How many frames a contact sheet has at most; of more shots, it shows some, at equal
            distances.
        caption: The column whose values stand above the frames. By default what the sequence
            varies.
        axes: Where to draw; by default a new figure.

    Returns:
        The axes, to be changed or saved (``axes.figure.savefig``).

    Raises:
        DataNotFoundError: there is no such column, or no shot that has all that is asked for.
        InvalidConditionError: ``where`` cannot be understood.
        ColumnKindError: the label holds no frames, or frames that differ in shape, which have no
            mean.
        ValueError: ``most`` is below 1.
        MissingPackageError: matplotlib is not installed.
    """
    check_axes(axes)
    check_where(where)
    images = read_images(source, label, mean=mean, where=where, most=most, caption=caption)
    return draw_images(images, axes)


def read_images(
    source: Source,
    label: str,
    *,
    mean: bool = False,
    where: "Where | None" = None,
    most: int = _MOST,
    caption: str | None = None,
    edge: int | None = None,
) -> ContactSheet | MeanImage:
    """Read what :func:`plot_image` draws.

    Args:
        source: As there, and so are all others.
        label: Under which the frames are.
        mean: Whether to compute the mean.
        where: Which shots.
        most: How many frames.
        caption: The column of the captions.
        edge: Pixels of a frame of a sheet at most; by default what fits a screen.
    """
    if as_flag(mean, "mean"):
        return mean_image(source, label, where=where)
    return contact_sheet(source, label, where=where, most=most, caption=caption, edge=edge)


def draw_images(images: ContactSheet | MeanImage, axes: "Axes | None" = None) -> "Axes":
    """Draw what :func:`read_images` has read."""
    if isinstance(images, ContactSheet):
        return _draw_contact_sheet(images, axes)
    return _draw_mean(images, axes)


def contact_sheet(
    source: Source,
    label: str,
    *,
    where: "Where | None" = None,
    most: int = _MOST,
    caption: str | None = None,
    edge: int | None = None,
) -> ContactSheet:
    """Read the frames of a contact sheet, one batch at a time; see :func:`read_images`."""
    if most < 1:
        raise ValueError(f"A contact sheet has at least one frame, so most cannot be {most}.")
    table = as_table(source)
    table.check_has_rows()
    column = _image_column(table, label)
    above = table.find(caption) if caption is not None else table.default_x()
    above = above or table.columns.get(INDEX)
    matching = matching_rows(table, where)
    if not len(matching):
        raise _nothing(table, column, where)
    rows = matching[spread(len(matching), most)]
    edge = edge or max(48, _SHEET_PIXELS // _tiles_in_a_row(len(rows)))
    tiles, captions = [], []
    for frame, text in _frames(table, column, rows, above):
        tiles.append(reduced(frame, edge))
        captions.append(text)
    if not tiles:
        raise _nothing(table, column, where)
    low, high = shown_range(tiles)
    shown = f"{len(tiles)} of {len(matching)}" if len(rows) < len(matching) else f"{len(tiles)}"
    what = column.name if above is None else f"{column.name} by {above.name}"
    name = "" if above is None else caption_name(table, above)
    return ContactSheet(
        _title(table, what, shown, where),
        tuple(tiles),
        tuple(captions),
        name,
        low,
        high,
        pretty_unit(column.units),
    )


def mean_image(source: Source, label: str, *, where: "Where | None" = None) -> MeanImage:
    """Compute the mean of the frames of all shots, one batch at a time; see :func:`read_images`."""
    table = as_table(source)
    table.check_has_rows()
    column = _image_column(table, label)
    count = 0
    total: npt.NDArray[np.float64] | None = None
    for frame, _ in _frames(table, column, matching_rows(table, where), None):
        if total is None:
            total = np.zeros(frame.shape)
        if frame.shape != total.shape:
            raise ColumnKindError(
                f"{column.name} has frames of {frame.shape} and of {total.shape} pixels, which "
                "have no mean: choose some of the shots with a condition."
            )
        total += frame
        count += 1
    if total is None:
        raise _nothing(table, column, where)
    mean = total / count
    return MeanImage(
        _title(table, f"mean of {column.name}", str(count), where),
        column.name,
        mean,
        *shown_range([mean]),
        pretty_unit(column.units),
    )


def _draw_contact_sheet(sheet: ContactSheet, axes: "Axes | None") -> "Axes":
    height = max(tile.shape[0] for tile in sheet.tiles)
    width = max(tile.shape[1] for tile in sheet.tiles)
    columns = _tiles_in_a_row(len(sheet.tiles), width / height)
    rows = -(-len(sheet.tiles) // columns)
    inches = _INCHES / columns
    is_captioned = inches >= _SMALLEST_CAPTIONED
    captions = _captions(sheet, inches)
    gap = max(1, round(0.02 * width))
    above = round(_CAPTION / inches * width) if is_captioned else gap
    whole = np.full((rows * (height + above), columns * (width + gap) - gap), np.nan)
    if axes is None:
        shape = whole.shape[0] / whole.shape[1]
        axes = new_axes(_INCHES + 0.9, min(_HIGHEST, _INCHES * shape + 0.4))
    for number, (tile, caption) in enumerate(zip(sheet.tiles, captions, strict=True)):
        row, column = divmod(number, columns)
        top, left = row * (height + above) + above, column * (width + gap)
        whole[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
        if is_captioned:
            size = min(_LARGEST, _WIDTH * inches / max(len(caption), 1))
            axes.text(left, top - 0.2 * above, caption, fontsize=size, color=GREY, clip_on=True)
    _draw(axes, whole, sheet)
    axes.set_axis_off()
    return axes


def _draw_mean(image: MeanImage, axes: "Axes | None") -> "Axes":
    axes = new_axes() if axes is None else axes
    _draw(axes, image.mean, image)
    axes.set_xlabel("column (pixels)", color=GREY)
    axes.set_ylabel("row (pixels)", color=GREY)
    axes.tick_params(color=PALE, labelcolor=GREY)
    return axes


def _draw(axes: "Axes", image: Frame, of: ContactSheet | MeanImage) -> None:
    shown = axes.imshow(image, cmap="magma", vmin=of.low, vmax=of.high, interpolation="antialiased")
    add_colour_bar(axes, shown, fraction=0.035, pad=0.015).set_label(of.unit)
    axes.set_title(of.title, loc="left", fontsize="medium", fontweight="bold", color=_INK)


def _frames(
    table: Table,
    column: TableColumn,
    rows: npt.NDArray[np.int64],
    above: TableColumn | None,
) -> Iterator[tuple[Frame, str]]:
    """The frames of those of the shots that have one, and their captions."""
    names = [column.name] if above is None else list({column.name: None, above.name: None})
    for batch in table.batches(names, rows):
        found = batch[column.name]
        for place in places_of_frames(found):
            caption = ""
            if above is not None and batch[above.name].is_present[place]:
                caption = _caption(above, batch[above.name].values[place])
            yield found.values[place], caption


def _captions(sheet: ContactSheet, inches: float) -> list[str]:
    """The captions with the name of what they tell, if that can be read in this width."""
    named = [f"{sheet.caption_name} {caption}".strip() for caption in sheet.captions]
    longest = max(map(len, named))
    return named if _WIDTH * inches >= _SMALLEST * longest else list(sheet.captions)


def _caption(column: TableColumn, value: Any) -> str:
    if column.kind == "time":
        return local_texts(np.array([value]))[0]
    return value_text(getattr(value, "item", lambda: value)(), column.units)


def caption_name(table: Table, column: TableColumn) -> str:
    """Return what a caption calls a column: as short as it can be told from the others."""
    return _SHORT.get(column.name) or short_name(column.name, table.columns)


_SHORT = {INDEX: "shot", START: "started", END: "ended"}


def _image_column(table: Table, label: str) -> TableColumn:
    column = table.find(label)
    if not column.is_image:
        what = HELD[column.kind] if column.shape is None else f"arrays of shape {column.shape}"
        images = [other.name for other in table.columns.values() if other.is_image]
        hint = f": {', '.join(images)} can be drawn" if images else ""
        raise ColumnKindError(f"{column.name} holds {what}, not pictures in two dimensions{hint}.")
    return column


def _tiles_in_a_row(count: int, shape: float = 1.0) -> int:
    """So many that the sheet is about twice as wide as high, and its last row as full as can be;
    ``shape`` is the width of a tile by its height."""
    columns = max(1, min(count, math.ceil(math.sqrt(2.2 * count / shape))))
    return -(-count // -(-count // columns))


def _title(table: Table, what: str, count: str, where: "Where | None") -> str:
    shots = "1 shot" if count == "1" else f"{count} shots"
    condition = f", {where}" if isinstance(where, str) else ""
    return "\n".join(filter(None, (table.title, f"{what} ({shots}{condition})")))


def _nothing(table: Table, column: TableColumn, where: "Where | None") -> DataNotFoundError:
    chosen = f" that meets {where!r}" if isinstance(where, str) else ""
    return DataNotFoundError(
        f"{table.title or 'The table'} has no shot{chosen} with {column.name}: there is nothing to "
        "draw."
    )
