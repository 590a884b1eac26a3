"""A step has the text values of its SQL, even if it stores them as an ENUM."""

from collections.abc import Sequence

import pytest

from starschema_assets import engine
from starschema_assets_tests.rows import RawTables

TEXTS = ["b", "", None, "É", "a", "it's", '"', "b"]


def made(raw: RawTables, texts: Sequence[str | None]) -> tuple[str, list[str | None]]:
    """Return the type of a step's column, and its sorted text values."""
    for number, text in enumerate(texts):
        raw.add("orders", {"orderNumber": number, "comments": text})
    engine.make_step(raw.connection, "step", "select orderNumber, comments from raw.orders")
    ordered = raw.connection.sql("select comments from star.step order by comments, orderNumber")
    (type_,) = ordered.types
    return str(type_), [text for (text,) in ordered.fetchall()]


def test_few_texts_become_an_enumeration_in_their_order(raw: RawTables) -> None:
    type_, texts = made(raw, TEXTS)
    assert type_ == """ENUM('', '"', 'a', 'b', 'it''s', 'É')"""
    assert texts == ["", '"', "a", "b", "b", "it's", "É", None]


def test_many_texts_stay_texts(raw: RawTables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_TEXTS", 5)
    type_, texts = made(raw, TEXTS)
    assert type_ == "VARCHAR"
    assert texts == ["", '"', "a", "b", "b", "it's", "É", None]


def test_a_column_without_a_text_is_one(raw: RawTables) -> None:
    assert made(raw, [None, None])[1] == [None, None]
