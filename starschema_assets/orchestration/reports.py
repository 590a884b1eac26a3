"""Checks, findings and failures as Dagster shows them."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    Config,
    Failure,
    TableMetadataValue,
)
from pydantic import Field

from starschema_assets.contract import Contract
from starschema_assets.errors import StarschemaError, told
from starschema_assets.orchestration.presentation import shown
from starschema_assets.quality.checks import checks_of
from starschema_assets.quality.finding import Finding, accept


class AuditConfig(Config):
    """What someone decided about the audit of this run; it stays on record with the run."""

    accept: list[str] = Field(
        default=[],
        description="Checks that may fail without stopping the publication, e.g. "
        "`raw/<table>:row_loss`. They are reported as warnings.",
    )


@contextmanager
def clear_failure() -> Iterator[None]:
    """Raise Failure for an error of this project: the UI shows its message above stack traces."""
    try:
        yield
    except StarschemaError as error:
        raise Failure(told(error), allow_retries=False) from error


def specs_of(contracts: Iterable[Contract]) -> list[AssetCheckSpec]:
    """The asset checks of the tables."""
    return [
        AssetCheckSpec(
            check.name,
            asset=contract.path,
            description=check.description,
            blocking=not check.warning,
        )
        for contract in contracts
        for check in checks_of(contract)
    ]


def verify_accepted(config: AuditConfig, contracts: Iterable[Contract]) -> None:
    """Raise Failure if what is to be accepted is no blocking check of these tables."""
    titles = [
        f"{contract.name}:{check.name}"
        for contract in contracts
        for check in checks_of(contract)
        if not check.warning
    ]
    for title in config.accept:
        if title not in titles:
            near = get_close_matches(title, titles)
            raise Failure(
                f"accept: {title} is no blocking check of this step; "
                + (f"did you mean {' or '.join(near)}?" if near else f"those are {titles}"),
                allow_retries=False,
            )


def gate(findings: Iterable[Finding], config: AuditConfig) -> Iterator[AssetCheckResult]:
    """Yield every finding as the result of its check, then raise Failure if one of them blocks."""
    reasons: list[str] = []
    acceptable: list[str] = []
    for finding in accept(findings, config.accept):
        yield _result(finding)
        if finding.blocks:
            reasons.append(f"- {_reason(finding)}")
            acceptable += [] if finding.final else [finding.title]
    if reasons:
        raise Failure(
            "\n".join(["Checks failed, so this step published nothing:", *reasons]),
            metadata={"accept": json.dumps(acceptable)} if acceptable else None,
            allow_retries=False,
        )


def _result(finding: Finding) -> AssetCheckResult:
    is_warning = finding.warning or finding.check.warning
    return AssetCheckResult(
        asset_key=finding.contract.path,
        check_name=finding.check.name,
        passed=finding.passed,
        severity=AssetCheckSeverity.WARN if is_warning else AssetCheckSeverity.ERROR,
        description=finding.message or None,
        metadata=dict(_metadata(finding)),
    )


def _metadata(finding: Finding) -> Iterator[tuple[str, int | TableMetadataValue]]:
    if finding.offending_rows is not None:
        yield "offending_rows", finding.offending_rows
    if finding.examples:
        yield "examples", shown(finding.examples)


def _reason(finding: Finding) -> str:
    rows = f"offending rows: {finding.offending_rows}" if finding.offending_rows else ""
    said = finding.message or finding.check.description
    return ": ".join(part for part in (finding.title, rows, said) if part)
