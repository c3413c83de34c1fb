"""The file backend: HDF5 and JSON files in one directory, without a server.

From the outside in: `storage` opens a `session`, whose `records`, with `summaries` of many and the
`settings` of the store, fulfil the contract of `shotstore.records`; `transaction` is what it has
read and changed, with `snapshot`, `known_documents`, `tree`, `active` sequences, `open_shots`,
`kept_files` and `session_shots`; `net_effect` turns that into a record of the `log`, which
`commits` writes and carries out under the `locks` of a `store`, and `rounds` makes durable in the
files; `membership` knows whether anybody uses the store. What cannot be carried out is `held_back`,
and laid over the `files` in memory. `shots` is the layout of ``shots.h5``, `documents` that of the
JSON files, `names` how paths and labels are written on disk. HDF5 works through the file objects of
`overlay`, everything runs on the threads of `worker`, and `disk` makes every change. `checks` looks
for damage, and mends it. `places`, `unseen` and `information` tell of files, sizes, what is not
shown, and who is writing.
"""

from shotstore.hdf5.checks.report import Finding, Recovered, Report
from shotstore.hdf5.information import StoreInformation
from shotstore.hdf5.lock_holders import Writer
from shotstore.hdf5.session import HDF5ExperimentSession
from shotstore.hdf5.storage import HDF5StorageManager
from shotstore.hdf5.trash import Trash, TrashEntry
from shotstore.hdf5.unseen import Unseen

__all__ = [
    "Finding",
    "HDF5ExperimentSession",
    "HDF5StorageManager",
    "Recovered",
    "Report",
    "StoreInformation",
    "Trash",
    "TrashEntry",
    "Unseen",
    "Writer",
]
