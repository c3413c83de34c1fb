"""The redo log: what makes all of a transaction happen at one instant.

A commit is one record in ``.shotstore/log``, made durable with one sync. What the record says is
then done with plain writes: every reader of the machine sees them at once, and a power loss may
take back any part of them. After one, all records of the current *round* of the log are carried out
again. A checkpoint makes the files durable, and begins a new round, of which the log is empty.

- `record` is what a record says, `folding` makes one of many, `admission` refuses one that was not
  written for the store;
- `log_file` is the file; `counter` tells how far it goes, and whether somebody was killed between
  writing a record and carrying it out;
- `carrying_out` does what a record says, `fitting` tells where the files are not as it expects, and
  `durability` syncs what was done.
"""
