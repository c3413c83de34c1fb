"""Look at what was recorded: pictures, and files for other programs.

Nothing here imports matplotlib or polars before it is needed.
"""
