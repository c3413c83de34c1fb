"""What a file does not hold as it was recorded."""

import attrs


@attrs.frozen
class Change:
    """What became of a column.

    Attributes:
        column: Its name.
        what: What became of it, and why: ``"is called 'a_b'"``.
    """

    column: str
    what: str

    def __str__(self) -> str:
        return f"{self.column} {self.what}"
