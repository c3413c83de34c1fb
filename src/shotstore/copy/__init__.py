"""Copy sequences between storages: `copy_path`.

`plan` finds out what there is to do, `transfer` copies the records of one sequence, shot by shot;
stores of files have a faster way between them. `report` is what is said of a copy meanwhile and
afterwards.
"""

from shotstore.copy.copying import copy_path
from shotstore.copy.report import Copied, CopyProgress, IncompleteCopyError

__all__ = ["Copied", "CopyProgress", "IncompleteCopyError", "copy_path"]
