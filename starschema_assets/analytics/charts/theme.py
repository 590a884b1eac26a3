"""Theme of all charts, and the styles and scripts that a page needs to draw them."""

import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

BRAND = "#0f6b8c"
ACCENT = "#e0772f"
FADED = "#c3d9e2"
INK = "#1c2b33"
MUTED = "#5b6b75"
GRID = "#e7ecef"

MONEY = "$,.0f"
CENTS = "$,.2f"
WHOLE = ",.0f"

FOLDER = Path(__file__).parent
ROWS = "rows"
"""Name of the dataset that every chart draws."""

CONFIG = {
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif",
    "background": "transparent",
    "view": {"stroke": None},
    "title": {
        "anchor": "start",
        "color": INK,
        "fontSize": 15,
        "fontWeight": 600,
        "offset": 14,
        "subtitleColor": MUTED,
        "subtitleFontSize": 12,
        "subtitlePadding": 4,
    },
    "axis": {
        "domain": False,
        "ticks": False,
        "gridColor": GRID,
        "labelColor": MUTED,
        "labelFontSize": 11,
        "labelPadding": 6,
        "titleColor": MUTED,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "legend": {"labelColor": INK, "labelFontSize": 12, "title": None, "orient": "top"},
}
AUTOSIZE = {"type": "fit-x", "contains": "padding"}
"""The width follows the container, the height follows the number of rows."""

_GLOBALS = "window.vegaEmbed = vegaEmbed;"
OPTIONS = {"actions": False, "renderer": "svg", "logLevel": 1}
"""Options of vegaEmbed. Only errors are logged; otherwise a chart without rows would log a warning.
SVG, because its text can be selected, searched and read aloud."""


def spec_of(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return the chart's Vega-Lite spec with the theme and without data."""
    spec: dict[str, Any] = chart.to_dict()
    return spec | {"config": CONFIG, "autosize": AUTOSIZE}


def html_of(chart: alt.TopLevelMixin, rows: Sequence[Mapping[str, object]]) -> str:
    """Return HTML that draws the chart with these rows. The page must include `page_head`."""
    spec = spec_of(chart) | {"datasets": {ROWS: list(rows)}}
    place = f"chart-{uuid.uuid4().hex}"
    return (
        f'<div class="chart" id="{place}"></div>'
        f'<script>vegaEmbed("#{place}", {script_json(spec)}, chartOptions)</script>'
    )


def page_head() -> str:
    """Return styles and scripts, including Vega, so that nothing is loaded from the network.

    A page may include it twice, so Vega's declarations are wrapped in a function.
    """
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    vega = vl_convert.javascript_bundle(_GLOBALS, vl_version=version)
    dashboard = f"window.chartOptions = {script_json(OPTIONS)};{_text('dashboard.js')}"
    return (
        f"<style>{_text('charts.css')}</style>"
        f"<script>(() => {{{vega}}})();</script><script>{dashboard}</script>"
    )


def script_json(value: object) -> str:
    """Return JSON that is safe to embed in a <script> element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
