"""Formats the tables of docs/benchmarks.md."""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.contenders import CONTENDERS
from benchmarks.days import Day
from benchmarks.layouts import Scan
from benchmarks.summary import CORRECT, MEGABYTE, Summary, advantages
from benchmarks.targets import PEERS, Target

TITLES = {contender.name: contender.title for contender in CONTENDERS}
NOTHING = "–"  # noqa: RUF001 - for a cell without a figure


def contenders(found: Mapping[str, Summary]) -> str:
    """Return the figures of each contender, and whether its result is correct."""
    floor = found["floor"].seconds if "floor" in found else None
    return table(
        "contender | min s | median s | × floor | peak MB | CPU s | server CPU s | written MB "
        "| kept MB | result",
        (
            (
                TITLES.get(name, name),
                _number(s.fastest),
                _number(s.seconds),
                _number(s.seconds / floor if s.seconds and floor else None),
                _megabytes(s.peak_bytes, ".0f"),
                _number(s.cpu_seconds),
                _number(s.server_cpu_seconds),
                _megabytes(s.written_bytes),
                _megabytes(s.kept_bytes),
                s.verdict,
            )
            for name, s in found.items()
        ),
    )


def where_peers_are_better(found: Mapping[str, Summary]) -> str:
    """Return the figures of peers that are better than those of the whole refresh."""
    better = [
        f"- {TITLES[peer]}: {'; '.join(figures)}."
        for peer in PEERS
        if peer in found
        and "refresh" in found
        and (figures := advantages(found[peer], found["refresh"]))
    ]
    return (
        "\n".join(
            [
                "Figures that are better than the refresh's, even of a wrong result:\n",
                *better,
            ]
        )
        if better
        else ""
    )


def small(found: Mapping[str, Summary]) -> str:
    """Return the figures of the small case, and of Dagster alone."""
    return table(
        "what runs | min s | median s | CPU s | peak MB | written MB | ",
        (
            (
                name,
                _number(s.fastest),
                _number(s.seconds),
                _number(s.cpu_seconds),
                _megabytes(s.peak_bytes, ".0f"),
                _megabytes(s.written_bytes),
                "" if s.verdict == CORRECT else s.verdict,
            )
            for name, s in found.items()
        ),
    )


def growth(by_lines: Mapping[int, Mapping[str, Summary]]) -> str:
    """Return cost by number of order lines, for contenders that ran at all of them."""
    everywhere = set.intersection(*(set(found) for found in by_lines.values()))
    names = [name for name in TITLES if name in everywhere]
    return table(
        "contender | order lines | median s | s per million lines | peak MB | server CPU s",
        (
            (
                TITLES[name],
                f"{lines:,}",
                _number(found[name].seconds),
                _number((found[name].seconds or 0) * 1e6 / lines),
                _megabytes(found[name].peak_bytes, ".0f"),
                _number(found[name].server_cpu_seconds),
            )
            for name in names
            for lines, found in sorted(by_lines.items())
        ),
    )


def scans(found: Sequence[Scan]) -> str:
    """Return the bytes that each query reads in both layouts."""
    asked = [scan for scan in found if scan.is_question]
    total = Scan(
        "**all queries of the project**",
        is_question=True,
        ours=sum(scan.ours for scan in asked),
        usual=sum(scan.usual for scan in asked),
    )
    others = [scan for scan in found if not scan.is_question]
    return table(
        "query | ours MB | usual layout MB | ours ÷ usual",
        (
            (
                scan.query,
                _megabytes(scan.ours),
                _megabytes(scan.usual),
                _number(scan.ours / scan.usual if scan.usual else None),
            )
            for scan in [*asked, total, *others]
        ),
    )


def targets(found: Iterable[Target]) -> str:
    """Return the targets and whether they were met; empty without targets."""
    rows = [
        (
            target.name,
            f"{target.figure:.2f} {target.unit}",
            f"at {'least' if target.at_least else 'most'} {target.limit:g} {target.unit}",
            "yes" if target.met else "**no**",
        )
        for target in found
    ]
    return table("target | measured | limit | met", rows) if rows else ""


def days(found: Sequence[Day]) -> str:
    """Return time, memory and history size of each day."""
    return table(
        "day | s | CPU s | peak MB | customers changed | versions | history MB",
        (
            (
                str(day.day),
                f"{day.cost.seconds:.1f}",
                f"{day.cost.cpu_seconds:.1f}",
                f"{day.cost.peak_bytes / 1e6:.0f}",
                f"{day.changed:,}",
                f"{day.versions:,}",
                f"{day.history_bytes / 1e6:.1f}",
            )
            for day in found
        ),
    )


def table(heading: str, rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table. `heading` has the column names, separated by |."""
    columns = heading.count("|") + 1
    lines = [f"| {heading} |", "|---" * columns + "|"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(line.replace("\n", " ") for line in lines)


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


def _megabytes(value: float | None, digits: str = ".1f") -> str:
    return NOTHING if value is None else f"{value / MEGABYTE:{digits}}"
