"""The page's figures: each section stands between two marks and is replaced as a whole."""

import re
from pathlib import Path


def write(page: Path, name: str, section: str) -> None:
    """Put a section in the place of the one of that name; the rest of the page stays."""
    begin, end = f"<!-- {name}: written by make bench -->", f"<!-- end of {name} -->"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    whole = f"{begin}\n\n{section}\n\n{end}"
    text, found = marked.subn(lambda _: whole, page.read_text(encoding="utf-8"))
    if found != 1:
        raise ValueError(f"{page} needs the marks {begin} and {end} once, one after the other")
    page.write_text(text, encoding="utf-8")
