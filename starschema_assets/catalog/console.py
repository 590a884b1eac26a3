"""URLs of pages in the AWS console."""

from urllib.parse import quote


def crawler(region: str, name: str) -> str:
    """Return the URL of a crawler and its runs."""
    return f"{_home(region, 'glue')}#/v2/data-catalog/crawlers/view/{quote(name, safe='')}"


def database(region: str, name: str) -> str:
    """Return the URL of a Glue database and its tables."""
    return f"{_home(region, 'glue')}#/v2/data-catalog/databases/view/{quote(name, safe='')}"


def query_editor(region: str) -> str:
    """Return the URL of Athena's query editor."""
    return f"{_home(region, 'athena')}#/query-editor"


def log(region: str, group: str, stream: str) -> str:
    """Return the URL of a CloudWatch log stream. Names are quoted twice, with `$` for `%`."""
    names = [quote(quote(name, safe=""), safe="").replace("%", "$") for name in (group, stream)]
    page = f"{_home(region, 'cloudwatch')}#logsV2:log-groups/log-group"
    return f"{page}/{names[0]}/log-events/{names[1]}"


def _home(region: str, service: str) -> str:
    return f"https://{region}.console.aws.amazon.com/{service}/home?region={region}"
