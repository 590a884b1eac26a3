"""The settings: environment variables that start with STARSCHEMA_, validated on loading."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AliasGenerator,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from starschema_assets.errors import StarschemaError, did_you_mean

CHECKOUT = Path(__file__).resolve().parent.parent
SAMPLE_DATABASE = CHECKOUT / "data" / "sample.duckdb"
DATABASES = ("mysql", "mariadb", "duckdb")  # allowed schemes of a source's URL
PREFIX = "STARSCHEMA_"
_NUMBERS = {int: "a whole number", float: "a number"}


class SettingsError(StarschemaError):
    """Variables that aren't settings or have invalid values, with one line per variable."""


def _like(pattern: str, message: str) -> AfterValidator:
    def verify(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(message)
        return text

    return AfterValidator(verify)


_SIZE = r"[1-9]\d*(MB|GB)"
Memory = Annotated[str, _like(_SIZE, "must be a whole number with MB or GB, such as 96MB")]
Page = Annotated[str, _like(r"https?://\S+", "must start with http:// or https://")]
Topic = Annotated[
    str,
    _like(
        r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+",
        "must be the ARN of an SNS topic: arn:aws:sns:region:account:name",
    ),
]


class Settings(BaseSettings):
    """One field per variable: `source_url` is STARSCHEMA_SOURCE_URL."""

    model_config = SettingsConfigDict(
        # Aliases instead of a prefix, because errors then contain the variable's name
        alias_generator=AliasGenerator(validation_alias=lambda name: f"{PREFIX}{name.upper()}"),
        validate_by_name=True,
        env_ignore_empty=True,
        frozen=True,
        use_attribute_docstrings=True,  # docstrings become descriptions
        hide_input_in_errors=True,  # a rejected source URL may contain a password
    )

    source_url: SecretStr = SecretStr(f"duckdb:///{SAMPLE_DATABASE}")
    """The operational database as a SQLAlchemy URL:
    `mysql+pymysql://user:password@host:3306/classicmodels`, or `duckdb:///file`."""
    source_tls: Literal["auto", "verify", "off"] = "auto"
    """`verify`: TLS with a verified certificate and host name; `auto`: `verify` unless the
    host is this machine; `off`: no TLS."""
    source_ca: Path | None = None
    """CA bundle that signed the server's certificate (for RDS, its global bundle); default:
    the system's."""
    zero_dates: Literal["refuse", "null"] = "refuse"
    """Dates such as `0000-00-00` or `2025-00-15`: with `refuse` the extraction fails; with
    `null` they are read as NULL and counted."""
    lake_uri: str = str(CHECKOUT / "data" / "lake")
    """Where the tables are published: a directory, or `s3://bucket/prefix`."""
    lock_wait: int = Field(600, ge=0)
    """Seconds that a run waits while another run writes to the same lake."""
    keep_versions: int = Field(5, ge=1)
    """Number of earlier versions kept per table in a local lake, for `make restore` and `make
    history`; on S3 the bucket's versioning keeps them."""
    scratch: Path = CHECKOUT / "data" / "scratch"  # not in /tmp, which every user may read
    """Directory for spilled sorts and for tables on their way to or from S3."""
    memory_limit: Memory = "96MB"
    """Memory that the engine may use before it spills to `STARSCHEMA_SCRATCH`."""
    engine: Literal["duckdb", "spark", "glue"] = "duckdb"
    """Engine that computes the star: `duckdb` or `spark` on this machine, or `glue`, the Spark
    job `STARSCHEMA_GLUE_JOB` in AWS; see [docs/spark.md](docs/spark.md)."""
    glue_job: str | None = None
    """Glue job that computes the star; needed with the engine `glue`."""
    max_row_loss: float = Field(0.2, ge=0, le=1)
    """Share of a table's rows that may disappear between two refreshes."""
    max_new_versions: float = Field(0.2, ge=0, le=1)
    """Share of a dimension's rows that may get a new version in its history in a day; rows seen
    for the first time don't count."""
    history_timezone: str = "UTC"
    """Time zone of the days from which versions are valid (IANA name)."""
    max_order_age: int | None = Field(None, ge=0)
    """Warn if the newest date of a fact is older than this many days; default: never."""
    schedule_hour: int = Field(5, ge=0, le=23)
    """Hour of the daily refresh, in `STARSCHEMA_SCHEDULE_TIMEZONE`."""
    schedule_timezone: str = "UTC"
    """Time zone of the daily refresh (IANA name)."""
    schedule_on: bool = False
    """`true`: the daily refresh runs without being switched on in the UI."""
    glue_crawler: str | None = None
    """Glue crawler that catalogs the star; default: the embedded catalog instead."""
    glue_database: str | None = None
    """Glue database into which the crawler writes; needed with the crawler."""
    crawl_timeout: int = Field(1800, ge=1)
    """Seconds that a crawl may take, including the wait for a busy crawler."""
    catalog: Path = CHECKOUT / "data" / "catalog.duckdb"
    """File of the embedded catalog: a DuckDB database with one view per table."""
    athena_workgroup: str = "primary"
    """Athena workgroup in which queries run, with the Glue catalog."""
    source_secret: str | None = None
    """Secret in AWS Secrets Manager with the source's `username` and `password`, as RDS
    manages it; the URL then needs neither."""
    alert_topic: Topic | None = None
    """SNS topic (ARN) that receives alerts about failed runs and failed blocking checks."""
    ui_url: Page = "http://127.0.0.1:3000"
    """URL of Dagster's webserver, used for the links in alerts."""

    @property
    def s3_lake(self) -> tuple[str, str] | None:
        """Bucket and prefix of a lake on S3, else None. The prefix is empty or ends with "/"."""
        if not self.lake_uri.startswith("s3://"):
            return None
        bucket, _, path = self.lake_uri.removeprefix("s3://").partition("/")
        return bucket, f"{path.strip('/')}/".lstrip("/")

    @model_validator(mode="after")
    def _glue_is_whole(self) -> Self:
        if self.engine == "glue" and not self.glue_job:
            raise ValueError("STARSCHEMA_ENGINE=glue needs STARSCHEMA_GLUE_JOB, the job's name")
        if self.glue_crawler and not self.glue_database:
            raise ValueError(
                "STARSCHEMA_GLUE_CRAWLER needs STARSCHEMA_GLUE_DATABASE, the crawler's database"
            )
        return self

    @field_validator("source_url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        found = re.match(r"([a-z]\w*)(\+\w+)?://", url.get_secret_value())
        kind = found[1] if found else ""
        if kind not in DATABASES:
            raise ValueError(
                "must be of the form mysql+pymysql://user:password@host:3306/database, "
                f"or duckdb:////absolute/path{did_you_mean(kind, DATABASES)}"
            )
        return url

    @field_validator("lake_uri")
    @classmethod
    def _known_lake(cls, uri: str) -> str:
        kind = kind_of(uri)
        if kind and not re.match(r"s3://[\w.-]+(/|$)", uri):
            isnt = "" if kind == "s3:" else f"; {kind} isn't supported"
            raise ValueError(f"must be a directory or s3://bucket/prefix{isnt}")
        return uri

    @field_validator("source_ca", "scratch", "catalog")
    @classmethod
    def _on_this_machine(cls, path: Path | None) -> Path | None:
        if path and (kind := kind_of(str(path))):
            raise ValueError(f"must be a path on this machine; {kind} isn't supported")
        return path

    @field_validator("schedule_timezone", "history_timezone")
    @classmethod
    def _known_time_zone(cls, name: str) -> str:
        if name in (zones := available_timezones()):
            return name
        raise ValueError(f"must be an IANA time zone, e.g. Europe/Paris{did_you_mean(name, zones)}")

    @model_validator(mode="wrap")  # defined last, so that it wraps the others
    @classmethod
    def _readable(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Turn errors into SettingsError, with one line per variable and without its value."""
        lines = _unknown_variables(os.environ, cls.model_fields)
        try:
            settings = handler(values)
        except ValidationError as error:
            lines += _lines_of(error, cls.model_fields)
        if lines:
            raise SettingsError("\n".join(lines)) from None
        return settings


def _unknown_variables(environment: Mapping[str, str], fields: Collection[str]) -> list[str]:
    """Return one line per variable that looks like a setting but isn't one."""
    settings = [f"{PREFIX}{name.upper()}" for name in fields]
    return [
        f"{variable} isn't a setting{_meant(variable, fields)}"
        for variable, value in sorted(environment.items())
        if (  # the second condition finds misspelled prefixes
            variable.upper().startswith(PREFIX)
            or get_close_matches(variable.upper(), settings, 1, 0.9)
        )
        and not variable.startswith(f"{PREFIX}TEST_")
        and variable.upper() not in settings
        and value  # an empty variable counts as not set
    ]


def _lines_of(error: ValidationError, fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    """Yield one line per validation error."""
    for each in error.errors(include_url=False, include_input=False):
        # The validators above raise errors that say what is allowed
        message = str(each["ctx"]["error"]) if each["type"] == "value_error" else None
        if not each["loc"]:
            yield message or each["msg"]
            continue
        name = str(each["loc"][0]).upper().removeprefix(PREFIX).lower()
        allowed = f"must be {_allowed(fields[name])}" if name in fields else each["msg"]
        yield f"{PREFIX}{name.upper()} {message or allowed}"


def _meant(variable: str, fields: Collection[str]) -> str:
    near = get_close_matches(variable.partition("_")[2].lower(), fields, n=1)
    return f"; did you mean {PREFIX}{near[0].upper()}?" if near else ": see the list in README.md"


def _allowed(field: FieldInfo) -> str:
    annotated = field.annotation
    type_ = next((part for part in get_args(annotated) if part in _NUMBERS), annotated)
    if get_origin(type_) is Literal:
        *others, last = get_args(type_)
        return f"{', '.join(others)} or {last}"
    if type_ not in _NUMBERS:
        return "true or false" if type_ is bool else "a text"
    bounds: dict[str, Any] = {}
    for bound in field.metadata:
        bounds |= {name: getattr(bound, name) for name in ("ge", "le") if hasattr(bound, name)}
    if "le" in bounds:
        return f"{_NUMBERS[type_]} from {bounds['ge']} to {bounds['le']}"
    return f"{_NUMBERS[type_]}, {bounds['ge']} or more"


def kind_of(address: str) -> str | None:
    """Return the scheme of an address, e.g. `gs:`, or None if it is a local path."""
    kind = re.match(r"\s*(?:[A-Za-z][\w+.-]*:|(?:s3|gs)//)", address)
    return kind[0] if kind else None
