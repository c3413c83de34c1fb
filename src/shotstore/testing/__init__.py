"""The conformance suite: what every storage must do, as tests that any backend can run.

The tests are plain functions that take a fixture ``storage``. The author of a backend writes one
test module::

    import pytest

    from shotstore.testing import serializer
    from shotstore.testing.behaviours import *

    from my_package import MyStorageManager

    @pytest.fixture
    def storage(tmp_path):
        return MyStorageManager(tmp_path / "store", serializer=serializer())

For every test the fixture must give an empty storage, made with this serializer. There is nothing
to configure and nothing to be left out: what cannot hold on every backend is not in the suite.

- `behaviours` are the tests. One of them runs the `state_machine`, random operations on the storage
  and on the model of it in `memory`.
- `experiments`, `lab`, `arguments` and `strategies` make what is put into a storage, and
  `methods` are all that can be called; `content`, `exactness`, `round_trips` compare what comes
  back; `failing_sessions` are those that fail.

It needs pytest and Hypothesis: ``pip install ".[testing]"`` in a clone. There is more in
``docs/other-backends.md``.
"""

import pytest

# Before any of them is imported: pytest then says what was found where an assertion fails.
pytest.register_assert_rewrite(
    "shotstore.testing.behaviours", "shotstore.testing.content", "shotstore.testing.round_trips"
)

from shotstore.testing.exactness import exactly_equal  # noqa: E402 - see above
from shotstore.testing.lab import serializer  # noqa: E402

__all__ = ["exactly_equal", "serializer"]
