"""Tests for the targets of the days benchmark."""

from benchmarks.days import Day
from benchmarks.process import Cost
from benchmarks.targets import of_days


def days(*seconds: float, peak: int = 400) -> list[Day]:
    return [
        Day(number, Cost(each, peak * 1_000_000, each, 0), 0, 0, 0)
        for number, each in enumerate(seconds, start=1)
    ]


def test_days_that_take_longer_and_longer_miss_their_target() -> None:
    steady, slower = days(5, 20, 20, 20, 21, 20, 21), days(5, 20, 20, 20, 22, 23, 23)
    assert [target.met for target in of_days(steady)] == [True, True]
    assert [target.met for target in of_days(slower)] == [True, False]


def test_a_day_with_too_much_memory_misses_its_target() -> None:
    ((target),) = of_days(days(20, peak=513))
    assert not target.met
