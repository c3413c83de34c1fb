"""Sequences and shots as a notebook shows them."""

import base64
import io
import re
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shotstore import ShotId, State
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data, quantity
from shotstore.testing.experiments import (
    MICROSECONDS,
    PATH,
    START,
    bring_to,
    create,
    finish,
    launch,
    path,
    record,
)
from tests.analysis.conftest import FRAME, Reading

VOID = {"img", "br", "hr"}


class Page(HTMLParser):
    """What a browser makes of it: texts, pictures, and tags that are closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.pictures: list[bytes] = []
        self.tags: set[str] = set()
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self._open.append(tag)
        if tag == "img":
            source = dict(attrs)["src"] or ""
            assert source.startswith("data:image/png;base64,")
            self.pictures.append(base64.b64decode(source.partition(",")[2]))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def recorded(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a finished run of forty shots with frames."""
    with storage.session() as session:
        launch(session, shots=40)
        for index in range(40):
            data: dict[str, Data] = {"atoms": FRAME + np.uint16(index), "number": 3.0}
            parameters = {
                "pulse.length": quantity(float(index), "us"),
                "offset": quantity(2, "MHz"),
            }
            record(session, PATH, index, parameters, data)
        finish(session)
        session.sequences.set_tags(PATH, ["<script>", "thesis"])
        session.sequences.set_note(PATH, 'a & b < c\n"quoted"')
    return storage


def test_a_sequence_with_all_that_it_is(recorded: HDF5StorageManager) -> None:
    with recorded.session() as session:
        page = Page(session.get_sequence(PATH)._repr_html_())
    for text in (
        str(PATH),
        "finished",
        "40 of 40 shots",
        "thesis",
        "pulse.length",
        "1 us to 4 us (40 values)",
        "offset",
        "2 MHz",
        "uint16, 128 x 128",
    ):
        assert text in page.text
    assert page.text.index("Varied (1)") < page.text.index("Constant (1)")


def test_what_people_have_written_is_text(recorded: HDF5StorageManager) -> None:
    with recorded.session() as session:
        page = Page(session.get_sequence(PATH)._repr_html_())
    assert "script" not in page.tags
    assert "<script>" in page.text
    assert 'a & b < c\n"quoted"' in page.text


def test_thumbnails_are_small_pictures_of_the_frames(recorded: HDF5StorageManager) -> None:
    with recorded.session() as session:
        page = Page(session.get_sequence(PATH)._repr_html_())
    assert len(page.pictures) == 6
    for picture in page.pictures:
        with Image.open(io.BytesIO(picture)) as image:
            assert max(image.size) <= 120
            assert len(set(image.convert("L").get_flattened_data())) > 100
    assert f"0 {MICROSECONDS}" in page.text
    assert f"39 {MICROSECONDS}" in page.text


def test_few_frames_are_read(recorded: HDF5StorageManager, reading: Reading) -> None:
    with reading() as read, recorded.session() as session:
        session.get_sequence(PATH)._repr_html_()
    assert 6 * FRAME.nbytes < read.count < 9 * FRAME.nbytes


@pytest.mark.parametrize("state", State)
def test_a_sequence_in_each_state(storage: HDF5StorageManager, state: State) -> None:
    with storage.session() as session:
        bring_to(session, state)
        page = Page(session.get_sequence(PATH)._repr_html_())
    assert state.value in page.text
    assert "pulse.length" in page.text or state not in (State.DRAFT, State.PREPARING)
    assert ("RuntimeError: the laser is off" in page.text) is (state is State.CRASHED)


def test_a_run_that_was_stopped_tells_what_was_planned(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=10)
        for index in range(2):
            record(session, PATH, index, {"pulse.length": quantity(1.0 + index, "us")})
        page = Page(session.get_sequence(PATH)._repr_html_())
    assert "2 of 10 shots" in page.text
    assert f"1 us to 4 us (10 values); in the shots 1 to 2 {MICROSECONDS} (2 values)" in page.text


def test_what_only_some_shots_have_is_not_called_constant(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=300)
        for index in range(300):
            record(session, PATH, index, {"gain": 1, "power": 2} if index == 1 else {"gain": 1})
        page = Page(session.get_sequence(PATH)._repr_html_())
    assert "2 (in 1 of 300 shots)" in page.text[: page.text.index("Constant (1)")]


def test_a_shot(recorded: HDF5StorageManager) -> None:
    with recorded.session() as session:
        page = Page(session.get_sequence(PATH).get_shot(7)._repr_html_())
    for text in ("shot 7", "took 0.5 s", f"7 {MICROSECONDS}", "2 MHz", "uint16, 128 x 128", "3"):
        assert text in page.text
    [picture] = page.pictures
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == (128, 128)


def test_a_shot_that_was_taken_again(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, index=3)
        session.sequences.create_shot(
            ShotId(PATH, 3), {}, {"counts": 4321}, START, START, replace=True
        )
        page = Page(session.get_sequence(PATH).get_shot(3)._repr_html_())
    assert "shot 3, attempt 2" in page.text
    assert "4321" in page.text


def test_odd_data_of_a_shot(storage: HDF5StorageManager) -> None:
    numpy_scalar: Any = np.float32(1.5)
    data: dict[str, Data] = {
        "long": "x" * 5000,
        "nested": {"a": [1, {"b": None}]},
        "nothing": None,
        "empty": np.zeros((0, 3)),
        "flat": np.zeros((1, 1)),
        "nan": np.full((4, 4), np.nan),
        "zero-d": numpy_scalar,
        "text": np.array(["<i>"]),
    }
    with storage.session() as session:
        launch(session)
        record(session, data=data)
        page = Page(session.get_sequence(PATH).get_shot(0)._repr_html_())
        assert len(page.text) < 3000
        assert "i" not in page.tags
        assert len(page.pictures) == 2
        assert "nested" in Page(session.get_sequence(PATH)._repr_html_()).text


def test_it_never_raises(recorded: HDF5StorageManager) -> None:
    with recorded.session() as session:
        sequence = session.get_sequence(PATH)
        nothing = session.get_sequence(path(r"\2026\raby"))
        assert "does not exist" in Page(nothing._repr_html_()).text
        assert "is a folder" in Page(session.get_sequence(path(r"\2026"))._repr_html_()).text
        assert "no shot 99" in Page(sequence.get_shot(99)._repr_html_()).text
    with recorded.session() as session:
        session.paths.move(PATH, path(r"\moved"))
    assert "does not exist" in Page(sequence._repr_html_()).text


def test_at_the_end_of_a_cell_the_session_is_over_and_it_is_shown(
    recorded: HDF5StorageManager,
) -> None:
    with recorded.session() as session:
        sequence = session.get_sequence(PATH)
        shot = sequence.get_shot(7)
        inside = [sequence._repr_html_(), shot._repr_html_()]
    assert [sequence._repr_html_(), shot._repr_html_()] == inside
    assert "40 of 40 shots" in Page(inside[0]).text


def test_what_a_failed_session_has_created_is_not_shown(storage: HDF5StorageManager) -> None:
    with suppress(RuntimeError), storage.session() as session:
        create(session)
        sequence = session.get_sequence(PATH)
        assert "draft" in Page(sequence._repr_html_()).text
        raise RuntimeError("stop")
    assert "does not exist" in Page(sequence._repr_html_()).text


def test_a_damaged_file_is_told(recorded: HDF5StorageManager) -> None:
    file = recorded.get_directory(PATH) / "shots.h5"
    file.write_bytes(b"nothing")
    with recorded.session() as session:
        page = Page(session.get_sequence(PATH)._repr_html_())
    assert re.search("shots.h5", page.text)
