"""Checking a store, and saving what can be read of a damaged sequence.

`verify` reads everything (with `sequence_check`, `inspection`, `chunks` and `leftovers`), and
`recover` saves what `salvage` can read; a `report` says what came of it.
"""
