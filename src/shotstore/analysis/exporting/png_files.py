"""PNG: a picture for each frame, ``0007_atoms.png``.

All pictures of a label have one scale, from black to white in 256 greys; the file says under
``black`` and ``white`` which values these are. Raw ones hold unsigned integers as they are.
"""

import re
import unicodedata
from pathlib import Path

from shotstore.analysis.exporting.destination import cut
from shotstore.analysis.exporting.job import Job
from shotstore.analysis.pictures.frames import as_bytes, places_of_frames, shown_range, spread
from shotstore.analysis.pictures.png import png
from shotstore.analysis.tables import INDEX, TableColumn
from shotstore.analysis.tables.labels import label_columns
from shotstore.errors import ExportError

_SAMPLES = 32
"""Frames that decide about black and white"""
_LONGEST = 160
"""Bytes of a name; file systems end at 255, and others add something to it"""


def holds(column: TableColumn) -> bool:
    """Return whether a column holds frames."""
    return column.is_image


def write(job: Job, folder: Path) -> None:
    """Write the frames of all columns into a folder.

    Raises:
        ExportError: they are to be raw, and are not unsigned integers of 8 or 16 bits.
    """
    names = label_columns(job.columns, spelled=_ending, occupies=lambda _, name: (_key(name),))
    ranges = {column.name: _range(job, column) for column in job.columns}
    digits = max(4, len(str(job.table.read([INDEX])[INDEX].values.max(initial=0))))
    for _, batch in job.batches([INDEX, *names]):
        for name, ending in names.items():
            low, high = ranges[name]
            texts = {"sequence": job.table.title, "label": name}
            for place in places_of_frames(batch[name]):
                frame = batch[name].values[place]
                if job.raw:
                    content = png(frame, texts=texts)
                else:
                    scale = {"black": f"{low:.9g}", "white": f"{high:.9g}"}
                    content = png(as_bytes(frame, low, high), texts=texts | scale)
                index = batch[INDEX].values[place]
                (folder / f"{index:0{digits}d}_{ending}.png").write_bytes(content)


def _range(job: Job, column: TableColumn) -> tuple[float, float]:
    if job.raw:
        if column.dtype is None or column.dtype.kind != "u" or column.dtype.itemsize > 2:
            raise ExportError(
                f"{column.name} holds {column.dtype}, and a raw png unsigned integers of 8 or "
                "16 bits: leave out raw, or export to npz."
            )
        return 0, 1
    some = job.rows[spread(len(job.rows), _SAMPLES)]
    found = job.table.read([column.name], some)[column.name]
    return shown_range(found.values[place] for place in places_of_frames(found))


def _ending(label: str) -> str:
    """What the names of the files of a label end in, before ``.png``; the label is in the file."""
    return cut(re.sub(r"[^\w.+-]+", "_", label), _LONGEST)


def _key(name: str) -> str:
    """What must differ between two names on every file system: macOS and Windows ignore case, and
    macOS how letters with accents are made up."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
