"""``shotstore recover``: save what can be read of a damaged sequence."""

from typing import TYPE_CHECKING, Annotated

from rich.console import Console

from shotstore.cli.console import new_console
from shotstore.cli.formats import counted
from shotstore.cli.opening import open_store
from shotstore.cli.options import StoreOption, path_argument
from shotstore.paths import PureSequencePath
from shotstore.progress_bar import progress_bar

if TYPE_CHECKING:
    from shotstore.hdf5 import Recovered

_MOST_LISTED = 20


def recover(
    path: Annotated[str, path_argument("The damaged sequence, such as 2026/rabi.")],
    store: StoreOption = None,
) -> None:
    """Save what can be read of a damaged sequence, and say what was lost.

    Every shot that can be read, even in part, goes into a new shots.h5; the damaged files go to the
    trash. Nothing is changed if nothing is damaged, or if nothing can be saved.
    """
    place = PureSequencePath(path)
    storage = open_store(store)
    with progress_bar("Recovering") as progress:
        recovered = storage.recover(place, progress=progress)
    _print(recovered, new_console())


def _print(recovered: "Recovered", console: Console) -> None:
    if not recovered.repairs:
        console.print(f"{recovered.path} is not damaged; nothing was changed.")
        return
    console.print(str(recovered.path), style="bold")
    for repair in recovered.repairs:
        console.print(f"  {repair}", style="green")
    losses = list(_losses(recovered))
    for loss in losses:
        console.print(f"  {loss}", style="red")
    if not losses:
        console.print("  Nothing is lost.")
    if recovered.trash_entry is not None:
        console.print(
            f"  The damaged files are in the trash, as entry {recovered.trash_entry}.",
            soft_wrap=True,
        )


def _losses(recovered: "Recovered") -> list[str]:
    losses = []
    if recovered.lost_shots:
        losses.append(f"Lost: {counted(recovered.lost_shots, 'shot')}.")
    incomplete = list(recovered.incomplete_shots.items())
    for index, names in incomplete[:_MOST_LISTED]:
        losses.append(f"Lost of shot {index}: {', '.join(names)}.")
    if len(incomplete) > _MOST_LISTED:
        losses.append(f"... and parts of {counted(len(incomplete) - _MOST_LISTED, 'more shot')}.")
    if recovered.lost_configuration:
        losses.append(
            f"Lost of the launch configuration: {', '.join(recovered.lost_configuration)}."
        )
    return losses
