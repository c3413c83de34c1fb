"""Frames in a terminal: two pixels in the place of each letter, the upper and the lower half."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from shotstore.analysis.pictures.frames import as_bytes, colours, reduced
from shotstore.analysis.pictures.images import ContactSheet, MeanImage

TILE = 32
"""Pixels of a frame of a contact sheet"""
MOST_TILES = 24
_WIDEST = 160
_GREYS = " .:-=+*#%@"
"""From dark to bright, where there are no colours"""

_Bytes = npt.NDArray[np.uint8]


def print_image(image: ContactSheet | MeanImage, console: Console) -> None:
    """Print a contact sheet or a mean image in the width of the terminal, and its scale."""
    width = min(console.width, _WIDEST)
    for line in image.title.splitlines():
        console.print(Text(line, style="bold"), soft_wrap=True)
    if isinstance(image, MeanImage):
        edge = min(width, 2 * (console.height - 4)) if console.is_terminal else width
        lines = _pixels(
            as_bytes(reduced(image.mean, max(16, edge)), image.low, image.high), console
        )
    else:
        lines = _sheet(image, width, console)
    for row in lines:
        console.print(row, soft_wrap=True)
    console.print(
        Text(f"dark: {image.low:.5g}, bright: {image.high:.5g}", style="dim"), soft_wrap=True
    )


def _sheet(sheet: ContactSheet, width: int, console: Console) -> Iterator[Text]:
    widest = max(tile.shape[1] for tile in sheet.tiles)
    columns = max(1, (width + 1) // (widest + 1))
    for first in range(0, len(sheet.tiles), columns):
        captions = sheet.captions[first : first + columns]
        yield Text(
            " ".join(f"{text[:widest]:<{widest}}" for text in captions).rstrip(), style="dim"
        )
        tiles = [
            list(_pixels(as_bytes(tile, sheet.low, sheet.high), console))
            for tile in sheet.tiles[first : first + columns]
        ]
        for row in range(max(map(len, tiles))):
            line = Text()
            for tile in tiles:
                line.append_text(tile[row] if row < len(tile) else Text(" " * widest))
                line.append(" ")
            yield line


def _pixels(levels: _Bytes, console: Console) -> Iterator[Text]:
    if len(levels) % 2:
        levels = np.concatenate([levels, levels[-1:]])
    if console.color_system is None:
        for upper, lower in zip(levels[::2].astype(int), levels[1::2].astype(int), strict=True):
            places = (upper + lower) * len(_GREYS) // 512
            yield Text("".join(_GREYS[place] for place in places))
        return
    styles = [Color.from_rgb(*colour) for colour in colours().tolist()]
    for upper, lower in zip(levels[::2].tolist(), levels[1::2].tolist(), strict=True):
        line = Text()
        for above, below in zip(upper, lower, strict=True):
            line.append("▀", Style(color=styles[above], bgcolor=styles[below]))
        yield line
