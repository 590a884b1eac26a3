"""Draws the charts of the page as SVG, with Vega."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import altair as alt
import pandas as pd

from benchmarks.layouts import Scan
from benchmarks.summary import CORRECT, MEGABYTE, Summary
from benchmarks.tables import TITLES

WIDTH = 320
OURS, OTHERS = "#1f5fa8", "#9aa5b1"


def contenders(found: Mapping[str, Summary], lines: int, file: Path) -> None:
    """Draw wall time and peak memory of all contenders, side by side."""
    rows = [
        {
            "contender": TITLES[name] + ("" if s.verdict == CORRECT else " (wrong)"),
            "whose": "ours" if TITLES[name].startswith("this project") else "others",
            "median seconds": s.seconds,
            "peak memory, MB": (s.peak_bytes or 0) / MEGABYTE,
        }
        for name, s in found.items()
        if s.seconds is not None
    ]
    bars = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("contender:N", sort=None, title=None, axis=alt.Axis(labelLimit=300)),
        color=alt.Color(
            "whose:N", legend=None, scale=alt.Scale(domain=["ours", "others"], range=[OURS, OTHERS])
        ),
    )
    unnamed = bars.encode(y=alt.Y("contender:N", sort=None, title=None, axis=None))
    panels = [_bars(bars, "median seconds", ".1f"), _bars(unnamed, "peak memory, MB", ",.0f")]
    _save(alt.hconcat(*panels, title=f"{lines:,} order lines"), file)


def growth(by_lines: Mapping[int, Mapping[str, Summary]], file: Path) -> None:
    """Draw wall time over order lines, both logarithmic. A slope of 1 is linear growth."""
    rows = [
        {"order lines": lines, "median seconds": s.seconds, "contender": TITLES[name]}
        for lines, found in by_lines.items()
        for name, s in found.items()
        if s.seconds is not None and name in TITLES
    ]
    chart = (
        alt.Chart(pd.DataFrame(rows), width=WIDTH, height=280)
        .mark_line(point=True)
        .encode(
            x=alt.X(
                "order lines:Q",
                scale=alt.Scale(type="log", nice=False, padding=12),
                axis=alt.Axis(format="~s"),
            ),
            y=alt.Y("median seconds:Q", scale=alt.Scale(type="log", nice=False, padding=12)),
            color=alt.Color("contender:N", sort=None, legend=alt.Legend(labelLimit=300)),
        )
    )
    _save(chart, file)


def scans(found: Sequence[Scan], file: Path) -> None:
    """Draw the bytes that each query reads in both layouts."""
    rows = [
        {"query": scan.query.replace("_", " "), "layout": layout, "MB to scan": size / MEGABYTE}
        for scan in found
        for layout, size in (("ours", scan.ours), ("usual Glue job", scan.usual))
    ]
    chart = (
        alt.Chart(pd.DataFrame(rows), width=WIDTH)
        .mark_bar()
        .encode(
            x="MB to scan:Q",
            y=alt.Y("query:N", sort=None, title=None, axis=alt.Axis(labelLimit=300)),
            yOffset="layout:N",
            color=alt.Color(
                "layout:N",
                scale=alt.Scale(domain=["ours", "usual Glue job"], range=[OURS, OTHERS]),
                legend=alt.Legend(orient="bottom", title=None),
            ),
        )
    )
    _save(chart, file)


def _bars(base: alt.Chart, figure: str, digits: str) -> alt.LayerChart | alt.FacetChart:
    bars = base.mark_bar().encode(x=alt.X(f"{figure}:Q"))
    labels = base.mark_text(align="left", dx=3, color="black").encode(
        x=alt.X(f"{figure}:Q"), text=alt.Text(f"{figure}:Q", format=digits), color=alt.value("#333")
    )
    return alt.layer(bars, labels).properties(width=WIDTH)


def _save(chart: alt.Chart | alt.HConcatChart, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    chart.save(str(file))
