"""``shots.h5``, as docs/file-format.md specifies it; nothing of locks, or of where the file lies.

`shots_file` writes and reads whole shots, `columns` reads many at once, and `structures` what their
lists and dicts are made of. `schemas` says which slots a shot uses, `stored_values` how a value is
encoded in its slot, `datasets` and `rows` are the datasets, with `chunks` that are read past HDF5,
`slot_checks` and `own_objects` refuse what shotstore does not write.
"""
