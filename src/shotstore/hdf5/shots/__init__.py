"""``shots.h5``, as docs/file-format.md specifies it; nothing of locks, or of where the file lies.

`shots_file` writes and reads whole shots, `columns` many at once, `launch` what they were launched
with, and `structures` is what their lists and dicts are made of. `schemas` says which slots a shot
uses, `used_slots` which those before a row do, `payloads` what lies in them, `stored_values` how a
value is encoded, `fixed_texts` how a text is. `datasets` and `rows` are the datasets, with `chunks`
that are read past HDF5, and their `checksums`; `known_rows` and `known_frames` are what was read
before, `copies` what lies in a file twice, `viewers` the attributes for other programs. `handles`
tells what HDF5's errors mean, `slot_checks` and `own_objects` refuse what would do harm.
"""
