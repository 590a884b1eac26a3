"""Runs queries in Athena through pyathena."""

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyathena
from botocore.exceptions import BotoCoreError, ClientError
from pyathena.cursor import Cursor

from starschema_assets.analytics.answer import Answer, QueryError
from starschema_assets.aws import advice, client_config, code_of, message_of
from starschema_assets.settings import Settings
from starschema_assets.types import MAX_DECIMAL_DIGITS, UnsupportedType, arrow_type

# Price in most regions. Billing rules: https://aws.amazon.com/athena/pricing/
USD_PER_TERABYTE = Decimal(5)
MEGABYTE = 2**20
TERABYTE = 2**40
LEAST_MEGABYTES = 10

POLL_SECONDS = 0.5

# Athena's results use SQL's names of types; Glue and the contracts use Hive's names.
_NAMES = {"integer": "int", "varchar": "string", "char": "string", "varbinary": "binary"}

logging.getLogger("pyathena").addHandler(logging.NullHandler())  # it would also log its errors


def query(sql: str, settings: Settings) -> Answer:
    """Run a query in the workgroup STARSCHEMA_ATHENA_WORKGROUP. Raises QueryError.

    The workgroup defines where results are stored.
    """
    try:
        with (
            pyathena.connect(
                work_group=settings.athena_workgroup,
                s3_staging_dir="",  # the workgroup's location; ignore AWS_ATHENA_S3_STAGING_DIR
                schema_name=settings.glue_database,
                poll_interval=POLL_SECONDS,
                config=client_config(),
            ) as connection,
            connection.cursor() as cursor,
        ):
            # Don't use the Arrow cursor: it reads the CSV result and turns NULL strings into ''.
            cursor.execute(sql)
            scanned = cursor.data_scanned_in_bytes or 0
            return Answer(
                table=_table(cursor),
                seconds=(cursor.engine_execution_time_in_millis or 0) / 1000,
                scanned=scanned,
                # Athena doesn't charge for DDL, or for UTILITY such as EXPLAIN and SHOW.
                cost=cost(scanned) if cursor.statement_type == "DML" else Decimal(0),
            )
    except BotoCoreError as error:
        raise QueryError(advice(error, "athena")) from error
    except pyathena.Error as error:
        raise QueryError(_reason(error, settings)) from error


def cost(scanned: int) -> Decimal:
    """Return the price in USD. Athena rounds up to whole megabytes and charges at least 10 MB."""
    megabytes = max(-(-scanned // MEGABYTE), LEAST_MEGABYTES)
    return USD_PER_TERABYTE * megabytes * MEGABYTE / TERABYTE


def _reason(error: pyathena.Error, settings: Settings) -> str:
    refusal = error.__cause__
    if not isinstance(refusal, ClientError | BotoCoreError):
        return f"The Athena query failed: {error}"  # it was started; the error is Athena's reason
    if isinstance(refusal, BotoCoreError) or code_of(refusal) != "InvalidRequestException":
        return f"Athena workgroup {settings.athena_workgroup}: {advice(refusal, 'athena')}"
    message = message_of(refusal)
    if "output location" in message:
        return (
            f"The Athena workgroup {settings.athena_workgroup} has no query result location: set "
            f"one, or choose another workgroup in STARSCHEMA_ATHENA_WORKGROUP. {message}"
        )
    if "WorkGroup" in message:
        return (
            f"The Athena workgroup {settings.athena_workgroup} can't be used: create or enable "
            f"it, or correct STARSCHEMA_ATHENA_WORKGROUP or AWS_DEFAULT_REGION. {message}"
        )
    return f"Athena rejected the query: {message}"


def _table(cursor: Cursor) -> pa.Table:
    rows: Sequence[Sequence[Any]] = cursor.fetchall()  # type: ignore[assignment]
    columns = cursor.description or []
    arrays = [
        _array([row[place] for row in rows], type_, scale or 0)
        for place, (_, type_, _, _, _, scale, _) in enumerate(columns)
    ]
    return pa.Table.from_arrays(arrays, names=[column[0] for column in columns])


def _array(values: Sequence[Any], type_: str, scale: int) -> "pa.Array[Any]":
    found: pa.DataType | None
    try:
        found = arrow_type(_NAMES.get(type_, type_))
    except UnsupportedType:  # arrays, maps, rows, times with zones: keep pyathena's values
        found = None
    if type_ == "decimal":
        # The scale comes from the values: ministack, the tests' AWS emulator, reports 0.
        scales = (-value.as_tuple().exponent for value in values if value is not None)
        found = pa.decimal128(MAX_DECIMAL_DIGITS, max([scale, *scales]))
    array: pa.Array[Any] = pa.array(values, found)
    return array
