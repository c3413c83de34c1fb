r"""Patterns of paths, such as ``\2026\*\rabi*``."""

import pytest

from shotstore import InvalidPathFormatError
from shotstore.analysis.finding.path_patterns import PathPattern
from shotstore.testing.experiments import path

PATHS = [
    r"\2026\11\rabi",
    r"\2026\11\rabi 2",
    r"\2026\12\a\rabi",
    r"\2026\12\ramsey",
    r"\2027\11\rabi",
    r"\rabi\x",
    r"\scan [1]\a+b",
    r"\a/b\c",
    "\\名前\\été",
]


def matching(pattern: str) -> list[str]:
    parsed = PathPattern.parse(pattern)
    return [name for name in PATHS if parsed.matches(path(name))]


@pytest.mark.parametrize("pattern", ["\\", "/", "**", r"\**", "/**"])
def test_nothing_in_particular_is_everything(pattern: str) -> None:
    assert matching(pattern) == PATHS
    assert PathPattern.parse(pattern).base.is_root()


@pytest.mark.parametrize(
    ("pattern", "expected", "base"),
    [
        (r"\2026\*\rabi*", PATHS[:2], r"\2026"),
        ("/2026/*/rabi*", PATHS[:2], r"\2026"),
        ("2026/*/rabi*", PATHS[:2], r"\2026"),
        (r"\2026\**\rabi", [PATHS[0], PATHS[2]], r"\2026"),
        (r"\2026\**", PATHS[:4], r"\2026"),
        (r"\*\11\rabi", [PATHS[0], PATHS[4]], "\\"),
        (r"\202?\11\rabi", [PATHS[0], PATHS[4]], "\\"),
        (r"\2026\*", PATHS[:4], r"\2026"),
        (r"\2026\1?", PATHS[:4], r"\2026"),
        ("2026/*2", PATHS[2:4], r"\2026"),
        (r"\2026\11\rabi?2", [PATHS[1]], r"\2026\11"),
        # Without wildcards
        (r"\2026\11\rabi", [PATHS[0]], r"\2026\11\rabi"),
        (r"\2026\11", PATHS[:2], r"\2026\11"),
        ("2026/11/", PATHS[:2], r"\2026\11"),
        ("2026/", PATHS[:4], r"\2026"),
        (r"\202", [], r"\202"),
        # A name alone
        ("rabi", [PATHS[0], PATHS[2], PATHS[4], PATHS[5]], "\\"),
        ("rabi*", [*PATHS[:3], *PATHS[4:6]], "\\"),
        ("11", [*PATHS[:2], PATHS[4]], "\\"),
        ("*y", [PATHS[3]], "\\"),
        # Characters that mean something elsewhere
        (r"\scan [1]", [PATHS[6]], r"\scan [1]"),
        (r"\scan [1]\a+*", [PATHS[6]], r"\scan [1]"),
        (r"\a/b\*", [PATHS[7]], r"\a/b"),
        ("/a/b", [], r"\a\b"),
        ("\\名*\\?t?", [PATHS[8]], "\\"),
    ],
)
def test_a_pattern_matches_some_paths(pattern: str, expected: list[str], base: str) -> None:
    assert matching(pattern) == expected
    assert PathPattern.parse(pattern).base == path(base)


def test_a_path_stands_for_itself_and_what_is_in_it() -> None:
    starred = path("\\*")
    pattern = PathPattern.parse(starred)
    assert pattern.base == starred
    assert pattern.matches(starred)
    assert pattern.matches(starred / "a")
    assert not pattern.matches(path(r"\a"))


@pytest.mark.parametrize("pattern", ["a//b", "a//*", r"\\a", r"a\\b", r"a\\*"])
def test_no_name_of_a_pattern_is_empty(pattern: str) -> None:
    with pytest.raises(InvalidPathFormatError, match="empty"):
        PathPattern.parse(pattern)


def test_a_name_that_no_path_can_have_is_refused() -> None:
    with pytest.raises(InvalidPathFormatError, match=r"\\t"):
        PathPattern.parse("\\a\tb\\*").base  # noqa: B018 - raises


def test_a_pattern_is_a_text() -> None:
    with pytest.raises(TypeError):
        PathPattern.parse(3)  # type: ignore[arg-type]
