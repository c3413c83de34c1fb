"""What a backend stores: the records of sequences and shots, how they are read and written, and the
rules that hold for all backends."""
