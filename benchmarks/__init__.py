"""How fast shotstore is, beside what one would use instead: ``python -m benchmarks``.

It needs ``pip install --editable ".[all,dev]"``, from the top of a clone.

All that is compared runs in the same process run, in turns, on the same disk, so that a busy minute
hits all alike; what counts is the ratio. `measure` does the timing, `shots` makes what is recorded,
`peers` does the same work without shotstore, and each of the other modules measures one kind of
work.
"""
