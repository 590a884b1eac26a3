"""A short soak test under write load: each fault once, at a time that depends on the seed."""

from pathlib import Path

import pytest

from starschema_assets.lake import s3_lease
from starschema_assets_tests.faults.soak import soaking

SEED = 7


def test_kills_under_write_load_break_no_promise_to_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_lease, "TTL", 2)  # instead of half a minute after each kill
    with soaking("s3", tmp_path, SEED) as soak:
        report = soak.until(lambda report: all(report.faults[fault] for fault in soak.faults))
    assert report.violations == []
    assert report.refreshes["killed"]
    assert report.commits > 100
    assert report.orders > 100
    assert report.rounds > 10
