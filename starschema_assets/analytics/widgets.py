"""The dashboard in JupyterLab, with widgets as its filters."""

from collections.abc import Mapping
from typing import Any

import ipywidgets

from starschema_assets.analytics.charts.dashboard import TOPS, dashboard_html

ALL = -1
WIDE = ipywidgets.Layout(width="100%")


class Dashboard:
    """The dashboard: with Jupyter's widgets if there is a kernel, otherwise with HTML controls."""

    def __init__(self, cube: Mapping[str, Any]) -> None:
        """Create the widgets. `cube` is the result of `cube_of`."""
        self.cube = cube
        self.country = _dropdown("Country", "All countries", cube["countries"])
        self.line = _dropdown("Product line", "All product lines", cube["lines"])
        months = [(month, place) for place, month in enumerate(cube["months"])]
        self.months = ipywidgets.SelectionRangeSlider(
            description="Months",
            options=months or [("none", 0)],
            index=(0, max(len(months) - 1, 0)),
            continuous_update=False,
            layout=WIDE,
        )
        self.top = ipywidgets.SelectionSlider(
            description="Show the best", options=TOPS, value=10, continuous_update=False
        )
        self.shown = ipywidgets.Output()
        widgets = (self.country, self.line, self.months, self.top)
        for widget in widgets:
            widget.style.description_width = "90px"
            widget.observe(self._draw, "value")
        self.box = ipywidgets.VBox(
            [
                ipywidgets.HBox([self.country, self.line, self.top]),
                self.months,
                self.shown,
            ]
        )
        self._draw()

    def _draw(self, _: object = None) -> None:
        first, last = self.months.value
        chosen = {
            "country": self.country.value,
            "line": self.line.value,
            "first": first,
            "last": last,
            "top": self.top.value,
        }
        html = dashboard_html(self.cube, chosen, controls=False)
        self.shown.outputs = (
            {"output_type": "display_data", "data": {"text/html": html}, "metadata": {}},
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Return widgets and HTML. A page without a kernel displays the HTML."""
        return {
            **self.box._repr_mimebundle_(),
            "text/html": dashboard_html(self.cube, controls=True),
        }


def _dropdown(label: str, every: str, names: list[str]) -> ipywidgets.Dropdown:
    choices = [(every, ALL), *((name, place) for place, name in enumerate(names))]
    return ipywidgets.Dropdown(description=label, options=choices, value=ALL)
