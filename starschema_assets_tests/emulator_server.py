"""Runs the emulator, by the Python that ministack is installed in: `emulator_server.py SECONDS`.

ministack authorizes some requests of Glue and Athena on another resource than AWS does. They are
corrected here, by AWS's Service Authorization Reference, so that a policy that names one crawler
or one workgroup means here what it means there.
"""

import json
import sys
from typing import Any

import ministack.app  # type: ignore[import-not-found]
from ministack.core import iam_actions  # type: ignore[import-not-found]
from ministack.services import athena, glue  # type: ignore[import-not-found]

CRAWLER = {"GetCrawler", "StartCrawler", "StopCrawler", "UpdateCrawler", "DeleteCrawler"}
DATABASE = {"GetDatabase", "UpdateDatabase", "DeleteDatabase"}

as_ministack_has_it = iam_actions.extract_resource_arn


def resource_arn(*request: Any) -> str:
    """The resource on which a request is authorized."""
    arn: str = as_ministack_has_it(*request)
    service, _method, _path, headers, body, _query, region, account = request
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if service == "glue" and operation in CRAWLER | DATABASE:
        kind = "crawler" if operation in CRAWLER else "database"
        return f"arn:aws:glue:{region}:{account}:{kind}/{json.loads(body)['Name']}"
    if service == "athena" and arn == "*":
        asked = json.loads(body)
        known = athena._executions.get(asked.get("QueryExecutionId")) or athena._named_queries.get(  # noqa: SLF001
            asked.get("NamedQueryId")
        )
        if known:
            return f"arn:aws:athena:{region}:{account}:workgroup/{known['WorkGroup']}"
        if "CatalogName" in asked or operation == "GetDataCatalog":
            catalog = asked.get("CatalogName") or asked["Name"]
            return f"arn:aws:athena:{region}:{account}:datacatalog/{catalog}"
    return arn


def main() -> None:
    """Serve until killed; a crawl takes so many seconds."""
    iam_actions.extract_resource_arn = resource_arn
    glue.CRAWLER_RUN_SECONDS = float(sys.argv.pop())  # ministack reads the others
    # With TLS it would take port 443 beside its own
    ministack.app._port_is_bindable = lambda *_: False  # noqa: SLF001
    ministack.app.main()


if __name__ == "__main__":
    main()
