"""A sequence that was damaged, and recovered without what it was launched with."""

from pathlib import Path

import h5py
import numpy as np

from shotstore.hdf5 import HDF5StorageManager, Recovered
from shotstore.testing.experiments import PATH, finish, launch, record

FRAME = np.arange(12, dtype="u2").reshape(3, 4)
SHOTS = 3


def recover_without_configuration(
    storage: HDF5StorageManager, *, is_document_lost: bool = True, shots: int = SHOTS
) -> Recovered:
    """Record a sequence, flip a bit in every part of what it was launched with, and recover it."""
    with storage.session() as session:
        launch(session, shots=SHOTS)
        for index in range(shots):
            record(session, index=index, parameters={"x": 0.5 * index}, data={"atoms": FRAME})
        finish(session)
    directory = storage.root.joinpath("sequences", *PATH.parts)
    _flip_configuration(directory / "shots.h5")
    if is_document_lost:
        (directory / "sequence.json").unlink()
    return storage.recover(PATH)


def _flip_configuration(file: Path) -> None:
    addresses: list[int] = []

    def note(_: str, found: h5py.Group | h5py.Dataset) -> None:
        if isinstance(found, h5py.Dataset):
            addresses.append(found.id.get_chunk_info(0).byte_offset)

    with h5py.File(file) as hdf5:
        for group in ("configuration", "copies/configuration"):
            hdf5[group].visititems(note)
    content = bytearray(file.read_bytes())
    for address in addresses:
        content[address] ^= 1
    file.write_bytes(content)
