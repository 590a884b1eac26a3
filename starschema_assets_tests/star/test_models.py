"""Properties that models derive from their SQL."""

from starschema_assets.history import COLUMNS
from starschema_assets.star.discovery import FOLDER
from starschema_assets.star.models import HISTORIES, MODELS, used_by

BY_NAME = {model.contract.table: model for model in MODELS}


def test_each_model_depends_on_just_the_raw_tables_that_it_uses() -> None:
    assert {name: model.raw_tables for name, model in BY_NAME.items()} == {
        "dim_customers": ("customers",),
        "dim_customers_history": ("customers",),
        "dim_products": ("productlines", "products"),
        "dim_products_history": ("productlines", "products"),
        "dim_locations": (),
        "dim_dates": ("orders",),
        "fact_orders": ("orderdetails", "orders", "products"),
    }


def test_each_model_reads_just_the_histories_that_it_uses() -> None:
    read = {n: [h.contract.table for h in model.read_histories] for n, model in BY_NAME.items()}
    assert {name: histories for name, histories in read.items() if histories} == {
        "dim_locations": ["dim_customers_history"],
        "fact_orders": ["dim_customers_history", "dim_products_history"],
    }


def test_the_dimensions_stand_before_the_fact() -> None:
    order = [model.contract.table for model in MODELS]
    for model in MODELS:
        for foreign_key in model.contract.foreign_keys:
            assert order.index(foreign_key.references) < order.index(model.contract.table)


def test_every_sql_file_is_a_model_or_a_step_of_one() -> None:
    steps = {step for model in MODELS for step in model.steps}
    assert {path.stem for path in FOLDER.glob("*.sql")} == {
        name for name, model in BY_NAME.items() if not model.contract.dimension
    }
    assert {path.stem for path in (FOLDER / "steps").glob("*.sql")} == steps


def test_lineage_follows_a_column_through_joins_and_shared_steps() -> None:
    lineage = BY_NAME["fact_orders"].column_lineage
    assert lineage["orderAmount"] == (
        ("orderdetails", "priceEach"),
        ("orderdetails", "quantityOrdered"),
    )
    assert lineage["locationKey"] == (
        ("customers", "city"),
        ("customers", "country"),
        ("customers", "postalCode"),
        ("customers", "state"),
    )


def test_every_column_has_a_lineage() -> None:
    missing = [
        (name, column)
        for name, model in BY_NAME.items()
        for column, origins in model.column_lineage.items()
        if not origins
    ]
    of_history = [("fact_orders", "customerVersion"), ("fact_orders", "productVersion")]
    of_history += [
        (history.contract.table, column.name) for history in HISTORIES for column in COLUMNS
    ]
    assert sorted(missing) == sorted(of_history)


def test_a_column_that_is_only_joined_on_counts_as_used() -> None:
    assert used_by()["orderdetails"]["orderNumber"] == (
        "the key of raw/orderdetails",
        "star/fact_orders",
    )
    assert used_by()["customers"]["customerNumber"] == (
        "the key of raw/customers",
        "star/dim_customers_history",
        "star/dim_customers",
    )


def test_a_column_that_nothing_needs_is_not_used() -> None:
    assert "image" not in used_by()["productlines"]
    assert "email" not in used_by()["employees"]
