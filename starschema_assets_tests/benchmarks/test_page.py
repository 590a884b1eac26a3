"""The benchmarks page: sections are replaced, and the text around them isn't changed."""

from pathlib import Path

import pytest

from benchmarks import page, tables
from benchmarks.process import Cost
from benchmarks.rounds import Run
from benchmarks.summary import summarised

SAID = "# Title\n\n<!-- a: written by make bench -->\nold\n<!-- end of a -->\n\nText.\n"


def run(seconds: float, error: str = "", *faults: str, contender: str = "floor") -> Run:
    return Run(contender, Cost(seconds, 2 * 10**6, seconds, 0, error), 1, 0, faults)


def test_a_section_replaces_the_earlier_one(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(SAID)
    for section in ("first", "second \\1"):
        page.write(file, "a", section)
    assert "old" not in file.read_text()
    assert "first" not in file.read_text()
    assert file.read_text().startswith("# Title\n\n<!-- a: written by make bench -->\n\nsecond \\1")
    assert file.read_text().endswith("<!-- end of a -->\n\nText.\n")


def test_a_page_without_the_marks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(SAID)
    with pytest.raises(ValueError, match="needs the marks"):
        page.write(file, "b", "section")
    assert file.read_text() == SAID


def test_a_contender_is_summed_up_by_its_rounds_that_succeeded() -> None:
    found = summarised([run(3), run(1), run(9, "killed"), run(2)])["floor"]
    assert (found.fastest, found.seconds) == (1, 2)
    assert found.verdict == "**failed** in 1 of 4 rounds: killed"


def test_a_wrong_answer_and_a_failure_stand_in_the_table() -> None:
    wrong = tables.contenders(summarised([run(1, "", "star/x is missing")]))
    assert "**wrong**: star/x is missing" in wrong
    failed = tables.contenders(summarised([run(1, "exit 1: a | b\nc")]))
    assert "| – | – |" in failed  # noqa: RUF001 - the sign in an empty cell
    assert "exit 1: a / b c |" in failed


def test_a_peer_that_is_better_in_a_figure_is_named_with_both_figures() -> None:
    rounds = [run(9, contender="refresh"), run(4, contender="dlt"), run(10, contender="pandas")]
    said = tables.where_peers_are_better(summarised(rounds))
    assert "- dlt + DuckDB: seconds: 4.0 instead of 9.0; s of CPU: 4.0 instead of 9.0." in said
    assert "pandas" not in said
