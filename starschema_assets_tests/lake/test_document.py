"""HTML documents in the lake, in a directory and on S3."""

from pathlib import Path

import pytest

from starschema_assets.lake.errors import LakeError
from starschema_assets.lake.lake import Lake

REPORT = ("analytics", "sales_report")


def test_a_page_is_replaced_and_is_no_table(lake: Lake) -> None:
    lake.write_document(REPORT, b"old")
    uri = lake.write_document(REPORT, b"<p>new</p>")
    assert uri == lake.document_uri(REPORT)
    assert uri.endswith("/analytics/sales_report/sales_report.html")
    assert lake.tables("analytics") == lake.tables("star") == []
    if lake.document_link(REPORT) is None:
        page = Path(uri)
        assert page.read_bytes() == b"<p>new</p>"
        assert list(page.parent.iterdir()) == [page]
    else:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        assert lake.document_link(REPORT) == (
            f"https://us-east-1.console.aws.amazon.com/s3/object/{bucket}"
            f"?region=us-east-1&prefix={key}"
        )


def test_a_page_that_can_not_be_written_is_named(lake: Lake) -> None:
    if lake.document_link(REPORT) is not None:
        pytest.skip("a directory's trouble")
    Path(lake.document_uri(REPORT)).mkdir(parents=True)
    with pytest.raises(LakeError, match="analytics/sales_report could not be published to"):
        lake.write_document(REPORT, b"page")
