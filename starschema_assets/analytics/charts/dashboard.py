"""The dashboard's HTML: controls, figures and charts, which dashboard.js fills in."""

import uuid
from collections.abc import Mapping
from typing import Any

from starschema_assets.analytics.charts.plots import over_time, ranked
from starschema_assets.analytics.charts.theme import script_json, spec_of

TOPS = (5, 10, 20, 50)
TILES = {
    "sales": "Sales",
    "pieces": "Pieces",
    "price": "Average price of a piece",
    "share": "Share of all sales in these months",
}
CONTROLS = {"country": "Country", "line": "Product line", "first": "From", "last": "To"}


def dashboard_html(
    cube: Mapping[str, Any], chosen: Mapping[str, int] | None = None, *, controls: bool
) -> str:
    """Return the dashboard of a cube. The page must include `page_head`.

    `chosen` is the initial filter. Country, line (-1: all), first and last (month) are indexes into
    the cube's lists; top is the number of bars. Without controls, users can't change the filter.
    """
    specs = {
        "months": over_time("Sales over time"),
        "lines": ranked("Product lines"),
        "products": ranked("Best products"),
        "countries": ranked("Best countries"),
    }
    place = f"dashboard-{uuid.uuid4().hex}"
    arguments = ", ".join(
        [
            f'document.getElementById("{place}")',
            script_json(cube),
            script_json({name: spec_of(chart) for name, chart in specs.items()}),
            script_json(chosen or {}),
        ]
    )
    return (
        f'<div class="sales dashboard" id="{place}">'
        + (_controls() if controls else "")
        + f'<div class="tiles">{"".join(map(_tile, TILES))}</div>'
        + '<div class="panels">'
        + _panel("months", "wide")
        + _panel("lines", "narrow")
        + _panel("products")
        + _panel("countries")
        + f"</div></div><script>salesDashboard({arguments})</script>"
    )


def _controls() -> str:
    fields = "".join(
        f'<label>{label}<select data-part="{name}"></select></label>'
        for name, label in CONTROLS.items()
    )
    tops = "".join(f"<option>{top}</option>" for top in TOPS)
    return (
        f'<form class="controls" autocomplete="off">{fields}'
        f'<label>Show the best<select data-part="top">{tops}</select></label>'
        '<button type="button" data-part="reset">Reset</button></form>'
    )


def _tile(name: str) -> str:
    return f'<div class="tile"><span>{TILES[name]}</span><b data-part="{name}"></b></div>'


def _panel(name: str, width: str = "") -> str:
    return f'<div class="panel {width}"><div class="chart" data-part="{name}"></div></div>'
