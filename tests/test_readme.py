"""What the README and the pages in docs/ say, done."""

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import attrs
import h5py
import pytest

from shotstore import cli

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted(ROOT.glob("docs/*.md"))]
TUTORIAL = ROOT / "docs" / "tutorial.md"
"""Made of a script, which has a test of its own"""
INSTALLS = ("the demo", "the tests")
"""Markers of the blocks that install something: `.ci/run` runs one, the demo's test the other."""
NEEDS = "needs "
"""How the marker of a block begins that is only run where a program is installed."""
NOT_INSTALLED = ("matlab", "julia", "r")
"""Languages that are not run; the names in them are looked up."""

RSYNC_BY_CP = """#!/bin/sh
# For machines without rsync. A slash after the source means its contents.
case "$2" in */) source="$2." ;; *) source="$2" ;; esac
mkdir -p "$3" && exec cp -a "$source" "$3"
"""


@attrs.frozen
class Block:
    """A block of code in a page; `marker` is the comment right before it."""

    page: Path
    line: int
    language: str
    text: str
    marker: str | None


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(r"(?:^<!-- ([^\n]*) -->\n)?^( *)```(\w*)\n(.*?)^ *```$", re.M | re.S)
    return [
        Block(
            page,
            text.count("\n", 0, match.start(4)),
            match[3],
            re.sub(rf"^{match[2]}", "", match[4], flags=re.M),
            match[1],
        )
        for match in pattern.finditer(text)
    ]


def marked(marker: str) -> Block:
    [block] = [block for block in blocks_of(README) if block.marker == marker]
    return block


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which `shotstore demo` was run."""
    directory = tmp_path_factory.mktemp("demo")
    subprocess.run([sys.executable, "-m", "shotstore", "demo"], cwd=directory, check=True)
    return directory


# An export says what its format cannot hold.
@pytest.mark.filterwarnings("ignore::shotstore.ExportWarning")
@pytest.mark.parametrize("page", [p for p in PAGES if p != TUTORIAL], ids=lambda page: page.name)
def test_the_code_on_a_page_runs_from_top_to_bottom(
    page: Path, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    shutil.copytree(demo, here)
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    if shutil.which("rsync") is None:
        rsync = tmp_path / "bin" / "rsync"
        rsync.parent.mkdir()
        rsync.write_text(RSYNC_BY_CP)
        rsync.chmod(0o755)
        monkeypatch.setenv("PATH", str(rsync.parent), prepend=os.pathsep)
    namespace: dict[str, object] = {}
    for block in blocks_of(page):
        if block.marker in INSTALLS or block.language in NOT_INSTALLED:
            continue
        marker = block.marker or ""
        if marker.startswith(NEEDS) and shutil.which(marker.removeprefix(NEEDS)) is None:
            continue
        if block.language == "python":
            # The right number of empty lines, so that a traceback points into the page.
            source = "\n" * block.line + block.text
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, str(page), "exec"), namespace)
        elif block.language == "shell":
            if shutil.which("bash") is None:
                pytest.skip("needs bash")
            run_shell(block.text, monkeypatch)
        else:
            assert block.language in ("", "json"), f"{page}:{block.line}: nobody runs this"


def run_shell(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a block in bash or, where it says nothing else, its commands of shotstore in this
    process: to start Python for each takes nearly all of the time."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    has_operators = any(set(token) <= set("();<>|&") for token in lexer)
    lines = text.replace("\\\n", " ").splitlines()
    commands = [words for line in lines if (words := shlex.split(line, comments=True))]
    if has_operators or any(words[0] not in ("shotstore", "export") for words in commands):
        subprocess.run(["bash", "-euo", "pipefail", "-c", text], check=True)
        return
    with monkeypatch.context() as patch:
        for name, *arguments in commands:
            if name == "export":
                variable, _, value = arguments[0].partition("=")
                patch.setenv(variable, value)
                continue
            patch.setattr(sys, "argv", [name, *arguments])
            with pytest.raises(SystemExit) as ended:
                cli.main()
            assert not ended.value.code, shlex.join([name, *arguments])


@pytest.mark.parametrize("language", NOT_INSTALLED)
def test_what_other_languages_read_is_there(language: str, demo: Path) -> None:
    [block] = [block for page in PAGES for block in blocks_of(page) if block.language == language]
    [shots, *_] = set(re.findall(r"['\"](\S+/shots\.h5)['\"]", block.text))
    with h5py.File(demo / shots) as file:
        named = r"(?:read|info)\(file, |file\[+"
        datasets = set(re.findall(rf"(?:{named})['\"]/?([\w/]+)['\"]", block.text))
        assert {"parameters", "scalars", "data/atoms", "shots"} <= datasets
        assert all(name in file for name in datasets)
        assert "evaporation.hold_time" in block.text
        assert "evaporation.hold_time" in file["parameters"].dtype.names
        assert "atom_number" in file["scalars"].dtype.names
        assert "start_time" in file["shots"].dtype.names
        shape = re.search(r"(?:size\(|\$dims).*?(\d+),? +(\d+),? +(\d+)", block.text)
        assert shape is not None
        assert tuple(map(int, shape.groups())) == file["data/atoms"].shape[::-1]


def test_the_python_block_of_the_readme_is_the_example() -> None:
    example = marked("examples/record_and_read.py")
    assert example.text == (ROOT / "examples" / "record_and_read.py").read_text(encoding="utf-8")


def test_the_demo_command_installs_and_runs_the_command_that_we_provide() -> None:
    [line] = marked("the demo").text.splitlines()
    assert line == (
        'python3 -m venv .venv && .venv/bin/pip install ".[all]" && .venv/bin/shotstore demo'
    )
    [command] = entry_points(group="console_scripts", name="shotstore")
    assert command.value == "shotstore.cli:main"


@pytest.mark.skipif(shutil.which("awk") is None, reason="needs awk")
def test_ci_runs_the_test_command_of_the_readme() -> None:
    [line] = marked("the tests").text.splitlines()
    assert line.startswith("uv venv --allow-existing .venv && uv pip install --editable")
    assert ".venv/bin/python -m pytest" in line
    script = (ROOT / ".ci" / "run").read_text()
    function = re.search(r"^test_command\(\) \{.*?^\}$", script, re.M | re.S)
    assert function is not None
    assert "command=$(test_command)\n" in script
    assert 'bash -euo pipefail -c "$command"\n' in script
    extracted = subprocess.run(
        ["bash", "-c", f"{function[0]}\ntest_command"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert extracted.splitlines() == [line]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), f"{page.name} links to {target}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.M)
            anchors = {re.sub(r"[^\w -]", "", t).strip().lower().replace(" ", "-") for t in titles}
            assert anchor in anchors, f"{page.name} links to {target}"


def test_every_page_is_linked_from_the_readme() -> None:
    linked = set(re.findall(r"\]\((docs/[^)#\s]+)", README.read_text(encoding="utf-8")))
    assert {f"docs/{page.name}" for page in PAGES if page != README} <= linked
