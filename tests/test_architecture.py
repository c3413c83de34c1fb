"""The page about how shotstore is built names what is there, in the order that is checked."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "shotstore"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PICTURE = PAGE.split("```")[1]
ROOMS = [
    name for line in re.findall(r"^  (\S.*?)(?:   |$)", PICTURE, re.M) for name in line.split()
]


def test_the_picture_has_every_room() -> None:
    found = {f"{path.name}/" for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    found |= {path.name for path in SOURCE.glob("[!_]*.py")}
    assert sorted(ROOMS) == sorted(found)


def test_the_rooms_are_in_the_order_that_is_checked() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = [
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    layers = [re.split(r" [|:] ", layer) for layer in reversed(contract["layers"])]
    rank = {name: number for number, layer in enumerate(layers) for name in layer}
    ranks = [rank[name.removesuffix("/").removesuffix(".py")] for name in ROOMS]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"`([a-z_0-9/]+(?:\.py|/))`", PAGE)) - set(ROOMS))
)
def test_what_it_names_is_there(name: str) -> None:
    places = [SOURCE, SOURCE.parent, SOURCE / "hdf5", SOURCE / "analysis"]
    assert any((place / name).exists() for place in places)
