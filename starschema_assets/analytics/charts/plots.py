"""The kinds of charts. Each draws the dataset `rows`, whose columns are given here."""

import altair as alt

from starschema_assets.analytics.charts.theme import (
    ACCENT,
    BRAND,
    CENTS,
    FADED,
    INK,
    MONEY,
    MUTED,
    ROWS,
    WHOLE,
)

_DATA = alt.NamedData(ROWS)
_SHORT = "datum.value == 0 ? '{0}0' : format(datum.value, '{0}~s')"
"""Format of a figure on an axis: $0, $500k, $1.5M."""
_STEP = 34
"""Pixels from one bar to the next, including the label."""
_MONTH = (
    "utcFormat(datum.value, '%m') == '01' "
    "? [utcFormat(datum.value, '%b'), utcFormat(datum.value, '%Y')] "
    ": utcFormat(datum.value, '%b')"
)


def ranked(
    title: str, subtitle: str = "", *, of: str = "Sales (USD)", parts: bool = False
) -> alt.TopLevelMixin:
    """Return horizontal bars in the order of the rows, with name and figure above each bar.

    Rows have `place` (from 0), `label` and `value`. Optional are `faded` and `note` (shown after
    the figure). With `parts` they also have `part` (drawn within the bar).
    """
    is_money = of.endswith("(USD)")
    value = alt.Tooltip("value:Q", title=of, format=CENTS if is_money else WHOLE)
    base = alt.Chart(_DATA).encode(
        y=alt.Y("place:O", axis=None),
        tooltip=[alt.Tooltip("label:N", title=" "), value],
    )
    faded = alt.condition("datum.faded", alt.value(FADED), alt.value(BRAND))
    bar = base.mark_bar(height=8, yOffset=7, cornerRadiusEnd=2).encode(
        x=alt.X(
            "value:Q",
            title=of,
            axis=alt.Axis(labelExpr=_SHORT.format("$" if is_money else ""), tickCount=4),
        ),
        color=alt.value(FADED) if parts else faded,
    )
    part = base.mark_bar(height=8, yOffset=7, color=BRAND).encode(x="part:Q")
    name = base.mark_text(
        align="left", dy=-6, fontSize=12, color=INK, limit=alt.ExprRef("width - 100")
    ).encode(x=alt.value(0), text="label:N")
    figure = (
        base.transform_calculate(
            text=f"format(datum.value, '{MONEY if is_money else WHOLE}')"
            " + (isValid(datum.note) ? datum.note : '')"
        )
        .mark_text(align="right", dy=-6, fontSize=12, color=MUTED)
        .encode(x=alt.value("width"), text="text:N")
    )
    return alt.layer(bar, *[part] * parts, name, figure).properties(
        title=_title(title, subtitle), width="container", height=alt.Step(_STEP)
    )


def over_time(title: str) -> alt.TopLevelMixin:
    """Return a line over months. Rows have `month` (milliseconds since 1970), `label`, `value`."""
    base = alt.Chart(_DATA).encode(
        x=alt.X(
            "month:T",
            title=None,
            scale=alt.Scale(type="utc"),
            axis=alt.Axis(
                grid=False,
                labelExpr=_MONTH,
                labelAlign="center",
                labelFlush=False,
                tickCount={"interval": "month", "step": 3},
            ),
        ),
        y=alt.Y(
            "value:Q", title="Sales (USD)", axis=alt.Axis(labelExpr=_SHORT.format("$"), tickCount=5)
        ),
        tooltip=[
            alt.Tooltip("label:N", title="Month"),
            alt.Tooltip("value:Q", title="Sales (USD)", format=CENTS),
        ],
    )
    area = base.mark_area(color=BRAND, opacity=0.12, tooltip=None)
    line = base.mark_line(color=BRAND, strokeWidth=2)
    point = base.mark_point(color=BRAND, filled=True, size=36, opacity=1)
    return alt.layer(area, line, point).properties(
        title=_title(title, ""), width="container", height=260
    )


def by_year(title: str, subtitle: str) -> alt.TopLevelMixin:
    """Return one line per year. Rows have `year`, `month` (1 to 12), `name`, `value`."""
    lines: alt.Chart = (
        alt.Chart(_DATA)
        .mark_line(point=alt.OverlayMarkDef(size=44), strokeWidth=2)
        .encode(
            x=alt.X(
                "name:O",
                title=None,
                sort=alt.SortField("month"),
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y(
                "value:Q",
                title="Sales (USD)",
                axis=alt.Axis(labelExpr=_SHORT.format("$"), tickCount=5),
            ),
            color=alt.Color(
                "year:O", scale=alt.Scale(range=["#8fa3ad", ACCENT, BRAND, "#7a4f9a", "#3f8f4f"])
            ),
            tooltip=[
                alt.Tooltip("year:O", title="Year"),
                alt.Tooltip("name:O", title="Month"),
                alt.Tooltip("value:Q", title="Sales (USD)", format=CENTS),
            ],
        )
    )
    return lines.properties(title=_title(title, subtitle), width="container", height=280)


def _title(text: str, subtitle: str) -> alt.TitleParams:
    return alt.TitleParams(text, subtitle=subtitle) if subtitle else alt.TitleParams(text)
