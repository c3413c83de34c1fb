"""``python -m shotstore`` is the command ``shotstore``."""

from shotstore.cli import main

main()
