"""Run refreshes under write load while processes are killed (`make soak`)."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.faults.soak import LAKES, Report, soaking


def main() -> int:
    """Run the soak test and print its report. Return 1 if there was a violation."""
    parser = argparse.ArgumentParser("python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--lake", choices=LAKES, default="s3")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    options = parser.parse_args()
    print(f"Soaking a lake of kind {options.lake} for {options.seconds} s, --seed {options.seed}")
    data = CHECKOUT / "data"
    data.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="soak-", dir=data) as folder,
        soaking(options.lake, Path(folder), options.seed) as soak,
    ):
        end = time.monotonic() + options.seconds
        report = soak.until(lambda _: time.monotonic() > end)
    show(report)
    return bool(report.violations)


def show(report: Report) -> None:
    """Print the figures, and each violation once."""
    print(f"refreshes   {report.refreshes.total()}: {in_one_line(report.refreshes)}")
    print(f"faults      {report.faults.total()}: {in_one_line(report.faults)}")
    print(f"written     {report.commits:,} transactions while it ran")
    print(
        f"read        {report.versions:,} versions of tables in {report.rounds:,} rounds, ", end=""
    )
    print(f"{report.unanswered} more while S3 was down; {report.orders:,} orders verified")
    print(f"violations  {len(report.violations)}")
    for violation in dict.fromkeys(report.violations):
        print(f"  {violation}")


def in_one_line(counts: dict[str, int]) -> str:
    """Return counts in one line."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
