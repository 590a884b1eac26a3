"""Audit of the star against the snapshot of the source that it was made from."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from starschema_assets.contract import Contract
from starschema_assets.lake.provenance import Figures
from starschema_assets.quality.checks import MATCHES_SOURCE, NEWEST_ORDER, ONE_SNAPSHOT
from starschema_assets.quality.finding import Finding
from starschema_assets.quality.tables import Tables

FACT_FIGURES = """
with by_day as (
    select
        orderDate,
        count(*) as orderLines,
        sum(quantityOrdered) as quantityOrdered,
        sum(orderAmount) as orderAmount
    from star.fact_orders
    group by orderDate
)

select
    coalesce(cast(extract(year from orderDate) as varchar), ''),
    sum(orderLines),
    sum(quantityOrdered),
    sum(orderAmount)
from by_day
group by 1
"""


def one_snapshot(contract: Contract, snapshots: Mapping[str, str]) -> Finding:
    """Compare the snapshots of the raw tables that a star table was made of."""
    passed = len(set(snapshots.values())) <= 1
    message = "; ".join(f"raw/{table} is of {snapshot}" for table, snapshot in snapshots.items())
    return Finding(contract, ONE_SNAPSHOT, passed=passed, message="" if passed else message)


def matches_source(tables: Tables, contract: Contract, source: Figures | None) -> Finding:
    """Compare the fact, year by year, with what the source computed itself."""
    if source is None:
        message = "raw/orderdetails has no figures of the source: materialize it"
        return Finding(contract, MATCHES_SOURCE, passed=False, message=message)
    _, years_of_fact = tables.fetch(FACT_FIGURES)
    fact: Figures = {
        year: (lines, quantity, amount) for year, lines, quantity, amount in years_of_fact
    }
    differences = [
        f"{year or 'no year'}: {_told(fact.get(year))} in the fact, "
        f"{_told(source.get(year))} at the source"
        for year in sorted({*fact, *source})
        if fact.get(year) != source.get(year)
    ]
    years = [f"{year or 'no year'}: {_told(figures)}" for year, figures in sorted(fact.items())]
    message = "; ".join(differences or years)
    return Finding(contract, MATCHES_SOURCE, passed=not differences, message=message)


def _told(figures: tuple[int, int, Decimal] | None) -> str:
    if figures is None:
        return "nothing"
    lines, quantity, amount = figures
    return f"{lines} lines, {quantity} pieces, {amount} USD"


def newest_order(tables: Tables, contract: Contract, today: date, max_age: int | None) -> Finding:
    """Look at the newest orderDate; `max_age` in days, None if its age doesn't matter."""
    _, ((newest,),) = tables.fetch("select max(orderDate) from star.fact_orders")
    age = (today - newest).days if newest else None
    passed = age is not None and age >= 0 and (max_age is None or age <= max_age)
    return Finding(
        contract, NEWEST_ORDER, passed=passed, message=f"the newest orderDate is {newest}"
    )
