"""How large a database is."""

from shotstore.sql import SQLStorageManager
from shotstore.testing.experiments import launch, record


def test_a_database_grows_with_what_is_stored(storage: SQLStorageManager) -> None:
    before = storage.get_size()
    with storage.session() as session:
        launch(session)
        record(session, data={"text": "x" * 2**18 + "".join(map(str, range(10**6)))})
    assert before > 0
    assert storage.get_size() > before + 2**18
    assert "password" not in storage.name
