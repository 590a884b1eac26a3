"""Tests for the estimate of bytes that a query reads from Parquet files."""

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.scan import bytes_scanned

DAYS = 100
GROUP_DAYS = 25


@pytest.fixture
def fact(tmp_path: Path) -> Path:
    """A file with a hundred consecutive days in four row groups."""
    days = [date(2025, 1, 1) + timedelta(days=day) for day in range(DAYS)]
    rows = pa.table(
        {"orderDate": days, "quantityOrdered": range(DAYS), "postalCode": ["NZ"] * DAYS}
    )
    file = tmp_path / "fact_orders.parquet"
    pq.write_table(rows, file, row_group_size=GROUP_DAYS)
    return file


def scanned(sql: str, fact: Path) -> int:
    return bytes_scanned(sql, {"fact_orders": [fact]}, {"locationkey": "postalcode"})


def chunks(fact: Path, *columns: int, groups: int = DAYS // GROUP_DAYS) -> int:
    footer = pq.read_metadata(fact)
    return sum(
        footer.row_group(group).column(column).total_compressed_size
        for group in range(groups)
        for column in columns
    )


def test_a_query_needs_the_columns_that_it_names_and_no_others(fact: Path) -> None:
    assert scanned("select sum(quantityOrdered) from fact_orders", fact) == chunks(fact, 1)


def test_a_condition_rules_out_row_groups_and_its_column_is_read_too(fact: Path) -> None:
    sql = "select sum(quantityOrdered) from fact_orders where orderDate < date '2025-01-20'"
    assert scanned(sql, fact) == chunks(fact, 0, 1, groups=1)


def test_conditions_on_both_sides_leave_what_lies_between(fact: Path) -> None:
    between = "orderDate >= date '2024-12-01' and orderDate <= date '2025-01-26'"
    sql = f"select sum(quantityOrdered) from fact_orders where {between}"
    assert scanned(sql, fact) == chunks(fact, 0, 1, groups=2)


def test_a_condition_that_a_footer_cannot_judge_rules_out_nothing(fact: Path) -> None:
    sql = "select sum(quantityOrdered) from fact_orders where year(orderDate) = 1999"
    assert scanned(sql, fact) == chunks(fact, 0, 1)


def test_a_column_of_another_name_and_a_table_without_files_are_understood(fact: Path) -> None:
    sql = """
        select country, sum(quantityOrdered)
        from fact_orders
        inner join dim_locations on fact_orders.locationKey = dim_locations.locationKey
        group by country
    """
    assert scanned(sql, fact) == chunks(fact, 1, 2)
