"""How every chart looks, and what a page must hold before it can draw one."""

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
"""The name of the data that every chart draws."""

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
"""As wide as there is room, and as high as there are rows."""

_GLOBALS = "window.vegaEmbed = vegaEmbed;"
OPTIONS = {"actions": False, "renderer": "svg", "logLevel": 1}
"""Of vegaEmbed: errors are logged, and no warning that a chart has no rows yet. SVG: its text can
be selected, searched and read aloud."""


def spec_of(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The chart in Vega-Lite, in the project's look, without its rows."""
    spec: dict[str, Any] = chart.to_dict()
    return spec | {"config": CONFIG, "autosize": AUTOSIZE}


def html_of(chart: alt.TopLevelMixin, rows: Sequence[Mapping[str, object]]) -> str:
    """The chart of these rows as HTML, for a page that has `page_head`."""
    spec = spec_of(chart) | {"datasets": {ROWS: list(rows)}}
    place = f"chart-{uuid.uuid4().hex}"
    return (
        f'<div class="chart" id="{place}"></div>'
        f'<script>vegaEmbed("#{place}", {script_json(spec)}, chartOptions)</script>'
    )


def page_head() -> str:
    """Styles and scripts, Vega's own among them, so that nothing is loaded from a network.

    A notebook's page may get it twice: what Vega declares stays within a function.
    """
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    vega = vl_convert.javascript_bundle(_GLOBALS, vl_version=version)
    dashboard = f"window.chartOptions = {script_json(OPTIONS)};{_text('dashboard.js')}"
    return (
        f"<style>{_text('charts.css')}</style>"
        f"<script>(() => {{{vega}}})();</script><script>{dashboard}</script>"
    )


def script_json(value: object) -> str:
    """JSON that may stand within a script of a page, whatever text it holds."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
