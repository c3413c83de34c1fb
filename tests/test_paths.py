"""Paths: what is one, and how they relate."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore.errors import InvalidPathFormatError
from shotstore.paths import PureSequencePath

ROOT = PureSequencePath("\\")
RABI = PureSequencePath(r"\2026\11\22\rabi")

_PUNCTUATION = r"""_.,:;*'"`()[]{}+-/=!@#$%^&~<>?|"""
_visible = st.characters(categories=["L", "M", "N", "P", "S"], exclude_characters="\\")
names = st.builds(str.__add__, _visible, st.text(_visible | st.just(" "), max_size=10))
paths = st.lists(names, max_size=5).map(PureSequencePath.from_parts)


def test_a_path_has_parts_a_name_and_a_parent() -> None:
    assert RABI.parts == ("2026", "11", "22", "rabi")
    assert RABI.name == "rabi"
    assert RABI.parent == PureSequencePath(r"\2026\11\22")
    assert str(RABI) == r"\2026\11\22\rabi"
    assert repr(RABI) == r"PureSequencePath('\\2026\\11\\22\\rabi')"


def test_the_root_has_no_parts_no_name_and_no_parent() -> None:
    assert PureSequencePath.root() == PureSequencePath.from_parts([]) == ROOT
    assert ROOT.is_root()
    assert not RABI.is_root()
    assert ROOT.parts == ()
    assert ROOT.name is None
    assert ROOT.parent is None
    assert str(ROOT) == "\\"
    assert ROOT.get_ancestors() == []


def test_ancestors_go_from_the_root_down_to_the_parent() -> None:
    assert [str(path) for path in RABI.get_ancestors()] == [
        "\\",
        r"\2026",
        r"\2026\11",
        r"\2026\11\22",
    ]


def test_a_path_is_built_with_slashes() -> None:
    assert ROOT / "2026" / "11" / "22" / "rabi" == RABI
    assert (ROOT / "a/b").parts == ("a/b",)


def test_a_path_is_inside_its_ancestors_only() -> None:
    day = PureSequencePath(r"\2026\11\22")
    assert RABI.is_descendant_of(day)
    assert RABI.is_descendant_of(ROOT)
    assert not day.is_descendant_of(RABI)
    assert not RABI.is_descendant_of(RABI)
    assert not (ROOT / "ab").is_descendant_of(ROOT / "a")
    assert not ROOT.is_descendant_of(ROOT)


def test_a_path_is_a_value() -> None:
    same = PureSequencePath(str(RABI))
    assert same == RABI
    assert hash(same) == hash(RABI)
    assert PureSequencePath(RABI) == RABI
    assert pickle.loads(pickle.dumps(RABI)) == RABI
    assert len({RABI, same, str(RABI)}) == 2
    with pytest.raises(AttributeError):
        RABI.parts = ()  # type: ignore[misc]


def test_a_folder_is_sorted_right_before_what_it_holds() -> None:
    texts = ["\\b", "\\a b", "\\", "\\a\\b", "\\a"]
    ordered = sorted(map(PureSequencePath, texts))
    assert [str(path) for path in ordered] == ["\\", "\\a", "\\a\\b", "\\a b", "\\b"]


@pytest.mark.parametrize(
    "name",
    [
        *_PUNCTUATION,
        "rabi",
        "2026-11-22T10.30",
        "two words",
        "space at the end ",
        "..",
        "CON",
        "é",
        "e\u0301",
        "नमस्ते",
        "สวัสดี",
        "日本語",
        "٣½Ⅷ²",
        "\U0001d510",
        "14:30:05 rabi",
        "±10 MHz",
        "45° tilt",
        "Rb→K",
        "Fig. 3 – left",  # noqa: RUF001 -- what an editor makes of a dash between spaces
        "100 €",
        "☕",
    ],
)
def test_a_name_has_whatever_people_write_in_one_line(name: str) -> None:
    assert PureSequencePath.is_valid_name(name)
    assert (ROOT / name).name == name
    assert PureSequencePath(f"\\{name}").parts == (name,)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "   ",
        " leading",
        "a\\b",
        "a\n",
        "\na",
        "a\tb",
        "a\0",
        "a\x7f",
        "a\u00a0b",
        "a\u2028",
        "a\u200b",
        "a\u202eb",
        "\ue000",
        "\ud800",
    ],
)
def test_anything_else_is_no_name(name: str) -> None:
    assert not PureSequencePath.is_valid_name(name)
    with pytest.raises(InvalidPathFormatError):
        ROOT / name
    with pytest.raises(InvalidPathFormatError):
        PureSequencePath.from_parts(["a", name])


@pytest.mark.parametrize(
    "text",
    [
        r"\2026\11\22\rabi",
        r"2026\11\22\rabi",
        "2026/11/22/rabi",
        "/2026/11/22/rabi",
        "2026/11/22/rabi/",
        "/2026/11/22/rabi/",
    ],
)
def test_one_path_is_written_in_some_ways(text: str) -> None:
    assert PureSequencePath.is_valid_path(text)
    assert PureSequencePath(text) == RABI


def test_a_name_alone_is_a_path_below_the_root() -> None:
    assert PureSequencePath("rabi") == ROOT / "rabi"


def test_with_a_backslash_a_slash_is_a_character_of_a_name() -> None:
    assert PureSequencePath(r"\a/b").parts == ("a/b",)
    assert PureSequencePath(r"a/b\c/").parts == ("a/b", "c/")


@pytest.mark.parametrize("text", ["\\", "/"])
def test_a_separator_alone_is_the_root(text: str) -> None:
    assert PureSequencePath(text) == ROOT


@pytest.mark.parametrize(
    "path",
    [
        "",
        " \\a",
        " a",
        "a\\",
        "\\a\\",
        "\\\\",
        "//",
        "//a",
        "a//",
        "a//b",
        "\\a\\\\b",
        "\\a\\b\n",
        "\\a\\ b",
        "a/ b",
        "\n",
    ],
)
def test_no_name_of_a_path_is_empty_or_begins_with_a_space(path: str) -> None:
    assert not PureSequencePath.is_valid_path(path)
    with pytest.raises(InvalidPathFormatError, match=r"Path .* is not valid"):
        PureSequencePath(path)


def test_the_message_says_what_is_wrong() -> None:
    with pytest.raises(InvalidPathFormatError, match="a name is empty"):
        PureSequencePath("\\2026\\")
    with pytest.raises(InvalidPathFormatError, match=r"'12\\t30' contains '\\t'"):
        PureSequencePath("\\2026\\12\t30")
    with pytest.raises(InvalidPathFormatError, match="starts with a space"):
        ROOT / " rabi"
    with pytest.raises(InvalidPathFormatError, match="backslash, which separates names"):
        ROOT / r"2026\rabi"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError):
        PureSequencePath(2026)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        PureSequencePath.from_parts([2026])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        PureSequencePath.from_parts("2026")
    with pytest.raises(TypeError):
        ROOT / 2026  # type: ignore[operator]
    with pytest.raises(TypeError):
        ROOT / RABI  # type: ignore[operator]


@given(paths)
def test_a_path_comes_back_from_its_text(path: PureSequencePath) -> None:
    assert PureSequencePath.is_valid_path(str(path))
    assert PureSequencePath(str(path)) == path
    assert PureSequencePath.from_parts(path.parts) == path


@given(paths, names)
def test_a_child_knows_its_ancestors(path: PureSequencePath, name: str) -> None:
    child = path / name
    assert child.parent == path
    assert child.name == name
    assert child.get_ancestors() == [*path.get_ancestors(), path]
    assert child > path
    assert all(child.is_descendant_of(ancestor) for ancestor in child.get_ancestors())


@given(st.text())
def test_a_text_is_a_path_or_is_refused(text: str) -> None:
    if PureSequencePath.is_valid_path(text):
        path = PureSequencePath(text)
        assert PureSequencePath(str(path)) == path
    else:
        with pytest.raises(InvalidPathFormatError):
            PureSequencePath(text)
