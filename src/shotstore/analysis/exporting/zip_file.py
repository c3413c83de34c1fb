"""ZIP: the directory of the sequence as it is in a store of files.

Unpacked anywhere, it opens with ``HDF5StorageManager(..., read_only=True)``, in h5py and HDFView.
"""

import tempfile
import zipfile
from pathlib import Path

from shotstore.analysis.exporting.job import Job
from shotstore.analysis.runs import Runs
from shotstore.records import directories

_PIECE = 2**20
_LEVEL = 1
"""Of compression: frames are noise in their last bits, on which more effort is lost."""


def write(job: Job, file: Path) -> None:
    """Copy the sequence into a store beside the file, and pack it.

    Raises:
        SequenceRunningError: it is preparing or running.
    """
    assert not isinstance(job.source, Runs)
    [write_directory] = directories.writers
    with tempfile.TemporaryDirectory(prefix=".shotstore-", dir=file.parent) as folder:
        directory = write_directory(
            job.source, Path(folder) / "store", lambda done, whole: job.show(done, 2 * whole)
        )
        _pack(directory, file, job)


def _pack(directory: Path, file: Path, job: Job) -> None:
    files = sorted(found for found in directory.rglob("*") if found.is_file())
    whole = sum(found.stat().st_size for found in files)
    done = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for found in files:
            name = Path(directory.name, found.relative_to(directory))
            entry = zipfile.ZipInfo.from_file(found, name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with found.open("rb") as source, archive.open(entry, "w", force_zip64=True) as out:
                while piece := source.read(_PIECE):
                    out.write(piece)
                    done += len(piece)
                    job.show(whole + done, 2 * whole)
