"""Updates sections of docs/benchmarks.md, each between two marks."""

import re
from pathlib import Path


def write(page: Path, name: str, section: str) -> None:
    """Replace the section of this name; the rest of the page isn't changed."""
    begin, end = f"<!-- {name}: written by make bench -->", f"<!-- end of {name} -->"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    whole = f"{begin}\n\n{section}\n\n{end}"
    text, found = marked.subn(lambda _: whole, page.read_text(encoding="utf-8"))
    if found != 1:
        raise ValueError(f"{page} needs the marks {begin} and {end} exactly once, in this order")
    page.write_text(text, encoding="utf-8")
