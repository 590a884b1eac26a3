"""Rebuilt histories equal those of a refresh on each day, or the rebuild fails with a reason."""

import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from starschema_assets.lake.errors import NotPublished, Unreadable
from starschema_assets.raw.contracts import CONTRACTS
from starschema_assets.star.continuation import HistoryRefused
from starschema_assets.star.rebuilding import Rebuilding
from starschema_assets_tests.conftest import VERSIONED
from starschema_assets_tests.seaweedfs import SeaweedFS
from starschema_assets_tests.star.days import LOG, Days

CUSTOMERS = "star/dim_customers_history"
PRODUCTS = "star/dim_products_history"
SUNDAY = datetime(2026, 1, 4, 4, tzinfo=UTC)

Snapshot = tuple[Mapping[int, tuple[str, int | None]], Mapping[str, int]]
"""Snapshot: city and credit limit of each customer, and price of each product."""
Day = tuple[int, Sequence[Snapshot]]
"""One day: the number of days since the previous one, and the snapshot of each run."""


CUSTOMERS_SEEN = st.dictionaries(
    st.integers(1, 3),
    st.tuples(st.sampled_from(["Nantes", "Lyon"]), st.sampled_from([None, 1])),
)
PRODUCTS_SEEN = st.sampled_from(["a", "A", "a "]).flatmap(
    lambda code: st.dictionaries(st.sampled_from([code, "b"]), st.integers(1, 2))
)


@st.composite
def days_seen(draw: st.DrawFn) -> list[Day]:
    """Generate days with one or two runs.

    Both runs of a day see the same products, at other prices. A history keeps the spelling of a key
    from any run, but a rebuild reads only the last run of a day, so spellings must not differ.
    """
    found: list[Day] = []
    for _ in range(draw(st.integers(2, 4))):
        products = draw(PRODUCTS_SEEN)
        last = (draw(CUSTOMERS_SEEN), products)
        others = dict(zip(products, draw(st.permutations([*products.values()])), strict=True))
        superseded = [(draw(CUSTOMERS_SEEN), others)] if draw(st.booleans()) else []
        found.append((draw(st.integers(1, 2)), [*superseded, last]))
    return found


CHANGES: list[Day] = [
    (1, [({1: ("Nantes", 1), 2: ("Lyon", None)}, {"a": 1, "b": 1})]),
    (
        1,
        [
            ({1: ("Lyon", 1)}, {"A": 1, "b": 2}),
            ({1: ("Nantes", 1), 3: ("Lyon", 1)}, {"A": 2, "b": 1}),
        ],
    ),
    (2, [({1: ("Nantes", 1), 2: ("Lyon", None), 3: ("Lyon", 2)}, {"a ": 2})]),
    (1, [({1: ("Paris", 1), 3: ("Lyon", 2)}, {"a ": 2, "b": 2})]),
]
"""Changed, deleted, returning and respelled keys, and a rerun that reverts a change."""


def refresh(days: Days, moment: datetime, snapshot: Snapshot) -> None:
    """Write the snapshot into the source, and refresh."""
    customers, products = snapshot
    days.sql("truncate raw.customers; truncate raw.products")
    for number, (city, limit) in customers.items():
        row = {"customerNumber": number, "city": city, "creditLimit": limit}
        days.raw.add("customers", row)
    for code, price in products.items():
        row = {"productCode": code, "productLine": "Trains", "buyPrice": price}
        days.raw.add("products", row)
    days.refresh(f"{moment}")


def digests(days: Days) -> list[str]:
    """Return the digests of both histories, and those that the fact's metadata records."""
    tables = ("dim_customers_history", "dim_products_history")
    own = [days.lake.footer(("star", table)).metadata["digest"] for table in tables]
    return [*own, days.lake.footer(("star", "fact_orders")).metadata["histories"]]


def lose(days: Days) -> None:
    """Replace the published histories with new ones that start today."""
    titles = [f"{CUSTOMERS}:nothing_lost", f"{PRODUCTS}:nothing_lost"]
    assert days.transform(accepted=titles, rebuild=lambda _: {}) == {}


def refreshed(changes: Sequence[Day], folder: Path, lake_uri: str | None = None) -> Days:
    """Refresh on several days, and export raw tables to `<folder>/exports/<YYYY-MM-DD>`."""
    days = Days(folder, lake_uri)
    moment = SUNDAY
    for later, snapshots in changes:
        moment += timedelta(days=later)
        for minute, snapshot in enumerate(snapshots):
            refresh(days, moment + timedelta(minutes=minute), snapshot)
        export(days, folder / "exports" / str(moment.date()))
    return days


def export(days: Days, folder: Path) -> None:
    """Copy the raw tables that histories are built from."""
    folder.mkdir(parents=True)
    for table in ("customers", "products", "productlines"):
        shutil.copy(days.lake.fetch(("raw", table)), folder / f"{table}.parquet")


@pytest.mark.parametrize("source", ["lake", "folder"])
def test_a_rebuild_makes_what_is_published(tmp_path: Path, source: str) -> None:
    days = refreshed(CHANGES, tmp_path)
    made = digests(days)
    assert days.rebuild(tmp_path / "exports" if source == "folder" else None) == {}
    assert digests(days) == made


@settings(
    deadline=None,
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=days_seen(), source=st.sampled_from(["lake", "folder", "s3"]))
@example(changes=CHANGES, source="lake")
@example(changes=CHANGES, source="s3")
@example(changes=CHANGES, source="folder")
def test_a_rebuild_makes_what_daily_refreshes_had_made(
    s3: SeaweedFS, changes: list[Day], source: str
) -> None:
    assert s3.process
    with TemporaryDirectory() as folder:
        on_s3 = f"s3://{VERSIONED}/{uuid.uuid4().hex}" if source == "s3" else None
        days = refreshed(changes, Path(folder), on_s3)
        made = digests(days)
        lose(days)
        assert days.rebuild(Path(folder) / "exports" if source == "folder" else None) == {}
        assert digests(days) == made
        days.lake.close()


def spoil(export: Path, query: str) -> None:
    """Rewrite an exported file of customers."""
    file = export / "customers.parquet"
    with duckdb.connect() as connection:
        rows = query.format(f"'{file}'")
        connection.execute(f"copy ({rows}) to '{file}.new' (format parquet)")
    file.with_name("customers.parquet.new").rename(file)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (shutil.rmtree, "exports is not a folder"),
        (
            lambda exports: [*map(shutil.rmtree, exports.iterdir())],
            r"no complete snapshot: no file such as 2026-01-05/customers\.parquet",
        ),
        (
            lambda exports: [(day / "products.parquet").unlink() for day in exports.iterdir()],
            r"no complete snapshot: 2026-01-05 lacks products\.parquet; 2026-01-06 l",
        ),
        (lambda exports: (exports / "2026-1-5").mkdir(), "2026-1-5 is not named after a day"),
        (lambda exports: (exports / "20260105").mkdir(), "20260105 is not named after a day"),
        (
            lambda exports: (exports / "2026-01-05").rename(exports / "2026-01-10"),
            "2026-01-10 is later than the published raw tables, which are of 2026-01-09: ref",
        ),
        (
            lambda exports: spoil(exports / "2026-01-06", "select * exclude (city) from {}"),
            r"2026-01-06: customers\.city is missing, but string in the contract of raw/customers",
        ),
        (
            lambda exports: spoil(
                exports / "2026-01-06", "select * replace (creditLimit::int as creditLimit) from {}"
            ),
            r"2026-01-06: customers\.creditLimit is int, but decimal\(10,2\) in the contract",
        ),
        (
            lambda exports: (exports / "2026-01-06/products.parquet").write_bytes(b"no Parquet"),
            r"2026-01-06/products\.parquet is not a complete Parquet file",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_by_name(
    tmp_path: Path, damage: Callable[[Path], object], said: str
) -> None:
    days = refreshed(CHANGES, tmp_path)
    made = digests(days)
    damage(tmp_path / "exports")
    with pytest.raises((HistoryRefused, Unreadable), match=said):
        days.rebuild(tmp_path / "exports")
    assert digests(days) == made


def test_a_snapshot_without_all_tables_is_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    days = refreshed(CHANGES, tmp_path)
    made = digests(days)
    days.extract("2026-01-09T05:00", "customers")
    days.refresh("2026-01-09T06:00")
    (tmp_path / "exports/2026-01-07").mkdir()
    with caplog.at_level("INFO"):
        assert days.rebuild() == {}
        assert days.rebuild(tmp_path / "exports") == {}
    assert digests(days)[:2] == made[:2]
    assert "20260109T050000.000000Z-1 lacks productlines, products" in caplog.text
    assert "Left out: 2026-01-07 lacks customers.parquet, productlines.par" in caplog.text
    reached = "Histories are built from: 2026-01-05, 2026-01-06, 2026-01-08, 2026-01-09"
    assert caplog.text.count(reached) == 2


def test_raw_tables_that_were_put_back_are_those_of_the_last_day(tmp_path: Path) -> None:
    days = refreshed(CHANGES, tmp_path)
    with days.lake.lock("test", LOG):
        for table in [("raw", contract.table) for contract in CONTRACTS]:
            days.lake.restore(table, days.lake.previous(table))
    title = f"{CUSTOMERS}:nothing_lost"
    assert days.rebuild().keys() == {title, f"{PRODUCTS}:nothing_lost"}
    assert days.rebuild(accepted=[title, f"{PRODUCTS}:nothing_lost"]) == {}
    assert days.ask("select max(observedOn) from dim_customers_history") == [(date(2026, 1, 8),)]


def test_a_rebuild_that_would_lose_a_version_is_refused_until_that_is_accepted(
    tmp_path: Path,
) -> None:
    days = refreshed(CHANGES, tmp_path)
    made = digests(days)
    shutil.rmtree(tmp_path / "exports/2026-01-06")
    titles = [f"{CUSTOMERS}:nothing_lost", f"{PRODUCTS}:nothing_lost"]
    blocked = days.rebuild(tmp_path / "exports")
    assert blocked == {
        titles[0]: "the rebuilt history lacks published versions: customerNumber 2, version 2 of "
        "2026-01-06; customerNumber 3, version 1 of 2026-01-06. Rebuild it from more days, or "
        "accept that they are lost",
        titles[1]: "the rebuilt history lacks published versions: productCode a , version 2 of "
        "2026-01-06. Rebuild it from more days, or accept that they are lost",
    }
    (lost, _) = days.findings[titles[0]].examples
    assert (lost["city"], lost["isDeleted"]) == ("Lyon", True)
    assert digests(days) == made
    assert days.rebuild(tmp_path / "exports", accepted=titles) == {}
    assert {row[3] for row in days.cities()} == {date(1, 1, 1), date(2026, 1, 9)}


def test_exports_from_before_the_lake_lose_nothing(tmp_path: Path) -> None:
    """The history observed its first versions later than the exports in the folder."""
    days = refreshed(CHANGES[1:], tmp_path)
    export(days, tmp_path / "old/2025-12-01")
    spoil(tmp_path / "old/2025-12-01", "select * replace ('Rom' as city) from {}")
    shutil.copytree(tmp_path / "exports", tmp_path / "old", dirs_exist_ok=True)
    assert days.rebuild(tmp_path / "old") == {}
    assert days.cities()[:2] == [
        (1, 1, "Rom", date(1, 1, 1)),
        (1, 2, "Nantes", date(2026, 1, 5)),
    ]


def test_too_many_new_versions_on_an_earlier_day_block(tmp_path: Path) -> None:
    """A rebuild doesn't use a snapshot that a refresh wasn't allowed to publish."""
    days = refreshed(CHANGES[:1], tmp_path)
    days.settings = days.settings.model_copy(update={"max_new_versions": 0.5})
    days.sql("update raw.customers set city = ''")
    days.extract("2026-01-06")
    title = f"{CUSTOMERS}:new_versions"
    assert days.transform().keys() == {title}
    days.sql(
        "update raw.customers set city = case customerNumber when 1 then 'Nantes' else 'Lyon' end"
    )
    days.refresh("2026-01-07")
    assert days.rebuild() == {
        title: "2 of 2 rows got a new version on 2026-01-06: 100.0%; 2 of 2 rows got a new version "
        "on 2026-01-07: 100.0%, 50.0% allowed"
    }
    assert days.rebuild(accepted=[title]) == {}
    assert len(days.cities()) == 6


def test_a_lost_history_is_rebuilt_without_a_word(tmp_path: Path) -> None:
    days = refreshed(CHANGES, tmp_path)
    made = digests(days)
    days.lake.fetch(("star", "dim_customers_history")).unlink()
    assert days.rebuild() == {}
    assert digests(days) == made


def test_raw_tables_of_another_source_are_refused_unless_that_was_accepted(
    tmp_path: Path,
) -> None:
    days = refreshed(CHANGES, tmp_path)
    days.source = "moved"
    days.extract("2026-01-10")
    with pytest.raises(HistoryRefused, match=r"comes from shop, but the raw tables come from"):
        days.rebuild()
    days.former_sources = ["shop"]
    days.extract("2026-01-10T05:00")
    assert days.rebuild() == {}


def test_a_star_without_histories_has_nothing_to_rebuild(tmp_path: Path) -> None:
    days = Days(tmp_path)
    with pytest.raises(HistoryRefused, match="no dimension's contract tracks columns"):
        Rebuilding(days.lake, days.settings, (), "run", LOG).stage(None)


def test_a_lake_without_raw_tables_has_nothing_to_rebuild_from(tmp_path: Path) -> None:
    with pytest.raises(NotPublished, match=r"raw/customers is not in .*: materialize it first"):
        Days(tmp_path).rebuild()
