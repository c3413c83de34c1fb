"""What to type where packages are missing that only some installations have."""

from importlib import metadata


def install_command(*extras: str) -> str:
    """Return the command that installs what some extras of shotstore bring.

    It names the packages themselves, so it works wherever shotstore came from: a clone, a wheel or
    an index.
    """
    packages = []
    for requirement in metadata.requires("shotstore") or ():
        package, _, condition = requirement.partition(";")
        if any(
            f"extra == {quote}{extra}{quote}" in condition for extra in extras for quote in "'\""
        ):
            packages.append(f'"{package.strip()}"')
    return f"pip install {' '.join(packages)}"
