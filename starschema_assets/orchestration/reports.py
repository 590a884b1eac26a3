"""What Dagster shows: tables before and after they were made, checks, findings, failures."""

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
"""What a rebuild of histories reads, unless it is a folder."""

Types = Mapping[str, str]
"""The type of each column of a table, in their order."""

Origins = Mapping[str, Sequence[tuple[str, str]]]
"""For columns of a star table, the raw tables and columns from which each is computed."""


class AuditConfig(Config):
    """What someone decided about the audit of this run; it stays on record with the run."""

    accept: list[str] = Field(
        default=[],
        description="Checks that may fail without stopping the publication, e.g. "
        "`raw/<table>:row_loss`. They are reported as warnings.",
    )


class StarConfig(AuditConfig):
    """What someone decided about a run that makes the star."""

    rebuild_histories: str | None = Field(
        default=None,
        description=f"Make the histories again, of the raw tables that the lake keeps of earlier "
        f"days (`{THE_LAKE}`) or of those in a folder, as `<folder>/<YYYY-MM-DD>/<table>.parquet`.",
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


def promised_types(contract: Contract) -> Types:
    """The columns that the contract promises."""
    return {column.name: column.type for column in contract.columns}


def column_schema(contract: Contract, types: Types, origins: Origins) -> TableSchema:
    """The columns with their types, descriptions and origins.

    A column that the contract doesn't know has a type only.
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
    # The UI draws column lineage in Dagster+ only; here everyone reads it.
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
    """What is known of a table before its first run."""
    return {
        "dagster/column_schema": column_schema(contract, promised_types(contract), origins or {}),
        "dagster/table_name": f"{contract.stage}.{contract.table}",
        "dagster/uri": uri,
    }


def file_metadata(contract: Contract | None, types: Types) -> dict[str, Any]:
    """The columns of a file, unless they are those that the definition shows already.

    Where the UI has both it shows every name in lower case.
    """
    if contract is None:
        columns = [TableColumn(name, type_) for name, type_ in types.items()]
        return {"dagster/column_schema": TableSchema(columns)}
    if list(types.items()) != list(promised_types(contract).items()):
        return {"dagster/column_schema": column_schema(contract, types, {})}
    return {}


def table_metadata(contract: Contract | None, description: Description, uri: str) -> dict[str, Any]:
    """What is told of a version that was published."""
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
    """What tables are searched by in the UI's catalog, e.g. `tag:personal_data`."""
    return {"personal_data": ""} if any(column.personal for column in contract.columns) else {}


def shown(rows: Sequence[Mapping[str, object]]) -> TableMetadataValue:
    """Rows, at least one, as the UI shows them without a click."""
    return MetadataValue.table(
        [TableRecord({name: _cell(value) for name, value in row.items()}) for row in rows]
    )


def _cell(value: object) -> str | int:
    if isinstance(value, int):
        return value
    return "NULL" if value is None else str(value)
