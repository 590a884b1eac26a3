"""Builds what Dagster's UI shows: table metadata, checks, check results and failures."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    Config,
    Failure,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableConstraints,
    TableMetadataValue,
    TableRecord,
    TableSchema,
)
from pydantic import Field

from starschema_assets.checks import checks_of
from starschema_assets.contract import Column, Contract
from starschema_assets.errors import StarschemaError, told
from starschema_assets.quality.audit import Description
from starschema_assets.quality.files import Finding, accept

OWNERS = ["team:data-engineering"]
THE_LAKE = "lake"
"""The value of `rebuild_histories` that stands for the lake's earlier versions."""
NEXT_STEP = 'See "A check failed" in docs/runbook.md.'

Types = Mapping[str, str]
"""Type by column name, in column order."""

Origins = Mapping[str, Sequence[tuple[str, str]]]
"""For columns of a star table, the raw tables and columns from which each is computed."""


class AuditConfig(Config):
    """Config for the audit of a run. Dagster stores it with the run."""

    accept: list[str] = Field(
        default=[],
        description="Blocking checks that may fail in this run, e.g. `raw/<table>:row_loss`. They "
        "are reported as warnings and don't stop the publication.",
    )


class StarConfig(AuditConfig):
    """Config for a run that builds the star."""

    rebuild_histories: str | None = Field(
        default=None,
        description=f"Rebuild the histories from the raw tables of earlier days: `{THE_LAKE}` for "
        f"those that the lake keeps, or a folder with `<YYYY-MM-DD>/<table>.parquet`.",
    )


@contextmanager
def clear_failure() -> Iterator[None]:
    """Turn errors of this project into Failure, so that the UI shows the message first."""
    try:
        yield
    except StarschemaError as error:
        raise Failure(told(error), allow_retries=False) from error


def specs_of(contracts: Iterable[Contract]) -> list[AssetCheckSpec]:
    """Return the asset checks of the tables."""
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
    """Raise Failure if `accept` contains anything but blocking checks of these tables."""
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
                f"accept: {title} is not a blocking check of this step; "
                + (f"did you mean {' or '.join(near)}?" if near else f"these are: {titles}"),
                allow_retries=False,
            )


def gate(findings: Iterable[Finding], config: AuditConfig) -> Iterator[AssetCheckResult]:
    """Yield a check result per finding. Then raise Failure if any of them blocks publication."""
    reasons: list[str] = []
    acceptable: list[str] = []
    for finding in accept(findings, config.accept):
        yield _result(finding)
        if finding.blocks:
            reasons.append(f"- {_reason(finding)}")
            acceptable += [] if finding.final else [finding.title]
    if reasons:
        raise Failure(
            "\n".join(["Checks failed, so this step published nothing:", *reasons, NEXT_STEP]),
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
    message = finding.message or finding.check.description
    return ": ".join(part for part in (finding.title, rows, message) if part)


def promised_types(contract: Contract) -> Types:
    """Return the types of the contract's columns."""
    return {column.name: column.type for column in contract.columns}


def column_schema(contract: Contract, types: Types, origins: Origins) -> TableSchema:
    """Return the columns with types, descriptions and origins for the UI.

    A column that isn't in the contract has only a type.
    """
    known = {column.name: column for column in contract.columns}
    return TableSchema(
        columns=[
            TableColumn(
                name,
                type_,
                description=_description(known[name], origins.get(name, ())),
                constraints=_constraints(contract, known[name]),
                tags={"personal": ""} if known[name].personal else {},
            )
            if name in known
            else TableColumn(name, type_)
            for name, type_ in types.items()
        ],
        constraints=TableConstraints([contract.grain]),
    )


def _description(column: Column, origins: Sequence[tuple[str, str]]) -> str:
    # The UI shows column lineage in Dagster+ only, so the description contains it.
    computed_from = ", ".join(f"`raw.{table}.{name}`" for table, name in origins)
    return " ".join(
        [column.description]
        + ([f"In {column.unit}."] if column.unit else [])
        + ([f"From {computed_from}."] if computed_from else [])
    )


def _constraints(contract: Contract, column: Column) -> TableColumnConstraints:
    return TableColumnConstraints(
        nullable=column.nullable,
        other=["key"] * (column.name in contract.key)
        + [f"→ {key.references}" for key in contract.foreign_keys if column.name in key.columns],
    )


def definition_metadata(
    contract: Contract, uri: str, origins: Origins | None = None
) -> dict[str, Any]:
    """Return the metadata of a table that is known before its first run."""
    return {
        "dagster/column_schema": column_schema(contract, promised_types(contract), origins or {}),
        "dagster/table_name": f"{contract.stage}.{contract.table}",
        "dagster/uri": uri,
    }


def file_metadata(contract: Contract | None, types: Types) -> dict[str, Any]:
    """Return the columns of a file if they differ from those of the asset's definition.

    If a run reports the same columns again, the UI shows all names in lower case.
    """
    if contract is None:
        columns = [TableColumn(name, type_) for name, type_ in types.items()]
        return {"dagster/column_schema": TableSchema(columns)}
    if list(types.items()) != list(promised_types(contract).items()):
        return {"dagster/column_schema": column_schema(contract, types, {})}
    return {}


def table_metadata(contract: Contract | None, description: Description, uri: str) -> dict[str, Any]:
    """Return the metadata of a published version."""
    metadata: dict[str, Any] = {
        "dagster/row_count": description.rows,
        "dagster/size_bytes": description.bytes,
        "dagster/uri": MetadataValue.path(uri),
        **file_metadata(contract, description.types),
    }
    if description.snapshots:
        metadata["snapshot"] = ", ".join(description.snapshots)
    if description.sample:
        metadata["sample"] = shown(description.sample)
    return metadata


def catalog_tags(contract: Contract) -> dict[str, str]:
    """Return the asset's tags, for searches in the UI such as `tag:personal_data`."""
    return {"personal_data": ""} if any(column.personal for column in contract.columns) else {}


def shown(rows: Sequence[Mapping[str, object]]) -> TableMetadataValue:
    """Return rows as a table that the UI shows inline. There must be at least one row."""
    return MetadataValue.table(
        [TableRecord({name: _cell(value) for name, value in row.items()}) for row in rows]
    )


def _cell(value: object) -> str | int:
    if isinstance(value, int):
        return value
    return "NULL" if value is None else str(value)
