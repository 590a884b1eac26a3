"""Answers of Athena, as an analyst gets them."""

import time
from typing import Any

from starschema_assets_tests.rehearsal.proofs import expect


def answer(athena: Any, query: dict[str, str], group: str) -> list[list[str]]:
    """The rows of an answer, its header first."""
    id_ = athena.start_query_execution(
        QueryString=query["QueryString"],
        QueryExecutionContext={"Database": query["Database"]},
        WorkGroup=group,
    )["QueryExecutionId"]

    state = "QUEUED"
    while state in {"QUEUED", "RUNNING"}:
        time.sleep(0.1)
        status = athena.get_query_execution(QueryExecutionId=id_)["QueryExecution"]["Status"]
        state = status["State"]
    expect((query["Name"], state), (query["Name"], "SUCCEEDED"))
    rows = athena.get_query_results(QueryExecutionId=id_)["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue", "") for cell in row["Data"]] for row in rows]
