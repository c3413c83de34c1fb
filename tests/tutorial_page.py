"""`docs/tutorial.md` is made of `examples/tutorial.py`: ``python -m tests.tutorial_page``."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "examples" / "tutorial.py"
PAGE = ROOT / "docs" / "tutorial.md"
_TEXT = "# %% [markdown]"
_CODE = "# %%"


def render(script: str) -> str:
    """Return the page: the cells of text as they are, those of code as blocks."""
    parts = []
    for cell in re.split(r"^(?=# %%)", script, flags=re.M):
        kind, _, content = cell.partition("\n")
        if kind == _TEXT:
            parts.append(re.sub(r"^# ?", "", content, flags=re.M).strip())
        elif kind == _CODE:
            parts.append(f"```python\n{content.strip()}\n```")
    return "\n\n".join(parts) + "\n"


def outputs(page: str) -> list[str]:
    """What the page says that the code prints."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S)
    return [text.strip() for language, text in blocks if not language]


if __name__ == "__main__":
    PAGE.write_text(render(SCRIPT.read_text(encoding="utf-8")), encoding="utf-8")
