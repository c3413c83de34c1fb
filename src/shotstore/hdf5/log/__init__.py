"""The redo log: what makes all of a transaction happen at one instant.

A commit is one record in ``.shotstore/log``, made durable with one sync. What it says is done with
plain writes, which every reader of the machine sees at once, and which a power loss may take back
in any part: then the records are carried out again, all that a *round* of the log holds. A
checkpoint makes the files durable and begins a new round.

- `record` is what a record says, `folding` makes one of many, `admission` refuses one that was not
  written for the store;
- `log_file` is the file, and `counter` tells how far it goes, and whether somebody was killed
  between writing a record and carrying it out;
- `carrying_out` does what a record says, `fitting` tells where files are not as it expects, and
  `durability` makes durable what was done.
"""
