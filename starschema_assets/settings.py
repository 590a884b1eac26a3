"""The settings: environment variables that begin with STARSCHEMA_, validated at import."""

import os
import re
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AliasGenerator,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from starschema_assets.errors import did_you_mean
from starschema_assets.setting_errors import (
    SettingsError,
    kind_of,
    lines_of,
    unknown_variables,
)

CHECKOUT = Path(__file__).resolve().parent.parent
SAMPLE_DATABASE = CHECKOUT / "data" / "sample.duckdb"
DATABASES = ("mysql", "mariadb", "duckdb")
"""What a source's URL may begin with."""


class Settings(BaseSettings):
    """One field a variable: `source_url` is STARSCHEMA_SOURCE_URL."""

    model_config = SettingsConfigDict(
        # Aliases, not a prefix: an error names the variable, which is what its reader set
        alias_generator=AliasGenerator(validation_alias=lambda name: f"STARSCHEMA_{name.upper()}"),
        validate_by_name=True,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,  # a rejected source URL holds a password
    )

    source_url: SecretStr = Field(
        SecretStr(f"duckdb:///{SAMPLE_DATABASE}"),
        description="The operational database as a SQLAlchemy URL: "
        "`mysql+pymysql://user:password@host:3306/classicmodels`, or `duckdb:///file`.",
    )
    source_tls: Literal["auto", "verify", "off"] = Field(
        "auto",
        description="`verify`: TLS with a verified certificate and host name; "
        "`auto`: `verify` unless the host is this machine; `off`: no TLS.",
    )
    source_ca: Path | None = Field(
        None,
        description="CA bundle that signed the server's certificate (for RDS, its global bundle); "
        "default: the system's.",
    )
    zero_dates: Literal["refuse", "null"] = Field(
        "refuse",
        description="What becomes of dates such as `0000-00-00` or `2025-00-15`: "
        "the extraction is refused, or they become NULL and are counted.",
    )
    lake_uri: str = Field(
        str(CHECKOUT / "data" / "lake"),
        description="Where the tables are published: a directory, or `s3://bucket/prefix`.",
    )
    lock_wait: int = Field(
        600,
        ge=0,
        description="Seconds that a run waits for another one that is writing to the same lake.",
    )
    keep_versions: int = Field(
        5,
        ge=1,
        description="Earlier versions kept of each table in a local lake, for `make restore`; "
        "on S3 the bucket's versioning keeps them.",
    )
    scratch: Path = Field(
        CHECKOUT / "data" / "scratch",  # not in /tmp, where every user of the machine may read
        description="Directory for spilled sorts and for tables on their way to or from S3.",
    )
    memory_limit: str = Field(
        "96MB",
        description="Memory that the engine may use before it spills to `STARSCHEMA_SCRATCH`.",
    )
    engine: Literal["duckdb", "spark", "glue"] = Field(
        "duckdb",
        description="Who computes the star: `duckdb` or `spark` on this machine, or `glue`, the "
        "Spark job `STARSCHEMA_GLUE_JOB` in AWS; see [docs/spark.md](docs/spark.md).",
    )
    glue_job: str | None = Field(
        None, description="Glue job that computes the star; needed with the engine `glue`."
    )
    max_row_loss: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Share of a table's rows that may disappear between two refreshes.",
    )
    max_order_age: int | None = Field(
        None,
        ge=0,
        description="Age in days at which the newest date of a fact is reported; default: never.",
    )
    schedule_hour: int = Field(
        5, ge=0, le=23, description="Hour of the daily refresh, in `STARSCHEMA_SCHEDULE_TIMEZONE`."
    )
    schedule_timezone: str = Field("UTC", description="Time zone of the daily refresh (IANA name).")
    schedule_on: bool = Field(
        default=False,
        description="Whether the daily refresh runs without being switched on in the UI.",
    )

    glue_crawler: str | None = Field(
        None,
        description="Glue crawler that catalogs the star; default: the embedded catalog instead.",
    )
    glue_database: str | None = Field(
        None, description="Glue database into which the crawler writes; needed with the crawler."
    )
    crawl_timeout: int = Field(
        1800,
        ge=1,
        description="Seconds that a crawl may take, waiting for a busy crawler included.",
    )
    catalog: Path = Field(
        CHECKOUT / "data" / "catalog.duckdb",
        description="File of the embedded catalog: a DuckDB database with a view a table.",
    )
    athena_workgroup: str = Field(
        "primary", description="Athena workgroup in which queries run, with the Glue catalog."
    )
    source_secret: str | None = Field(
        None,
        description="Secret in AWS Secrets Manager with the source's `username` and `password`, "
        "as RDS manages it; the URL then needs neither.",
    )
    alert_topic: str | None = Field(
        None,
        description="SNS topic (ARN) that is told of failed runs and failed blocking checks.",
    )
    ui_url: str = Field(
        "http://127.0.0.1:3000",
        description="Where Dagster's webserver is found by those who read the alerts.",
    )

    @property
    def s3_lake(self) -> tuple[str, str] | None:
        """Bucket and prefix of a lake on S3; the prefix is empty or ends in a slash."""
        if not self.lake_uri.startswith("s3://"):
            return None
        bucket, _, path = self.lake_uri.removeprefix("s3://").partition("/")
        return bucket, f"{path.strip('/')}/".lstrip("/")

    @model_validator(mode="after")
    def _glue_is_whole(self) -> Self:
        if self.engine == "glue" and not self.glue_job:
            raise ValueError("STARSCHEMA_ENGINE=glue needs STARSCHEMA_GLUE_JOB: the job's name")
        if self.glue_crawler and not self.glue_database:
            raise ValueError(
                "STARSCHEMA_GLUE_CRAWLER needs STARSCHEMA_GLUE_DATABASE, into which it writes"
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
            said = "must be a directory or s3://bucket/prefix"
            raise ValueError(said if kind == "s3:" else f"{said}; {kind} isn't supported")
        return uri

    @field_validator("source_ca", "scratch", "catalog")
    @classmethod
    def _on_this_machine(cls, path: Path | None) -> Path | None:
        if path and (kind := kind_of(str(path))):
            raise ValueError(f"must be a path on this machine; {kind} isn't supported")
        return path

    @field_validator("memory_limit")
    @classmethod
    def _amount_of_memory(cls, amount: str) -> str:
        if not re.fullmatch(r"[1-9]\d*(MB|GB)", amount):
            raise ValueError("must be a whole number with MB or GB, such as 96MB")
        return amount

    @field_validator("alert_topic")
    @classmethod
    def _topic(cls, arn: str | None) -> str | None:
        if arn and not re.fullmatch(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+", arn):
            raise ValueError("must be the ARN of an SNS topic: arn:aws:sns:region:account:name")
        return arn

    @field_validator("ui_url")
    @classmethod
    def _page(cls, url: str) -> str:
        if not re.fullmatch(r"https?://\S+", url):
            raise ValueError("must begin with http:// or https://")
        return url

    @field_validator("schedule_timezone")
    @classmethod
    def _known_time_zone(cls, name: str) -> str:
        zones = available_timezones()
        if name not in zones:
            raise ValueError(
                f"must be an IANA time zone, such as Europe/Berlin{did_you_mean(name, zones)}"
            )
        return name

    @model_validator(mode="wrap")  # the last of all, so that it is around the others
    @classmethod
    def _readable(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Raise SettingsError: one line for each variable, and nothing of what was given."""
        lines = unknown_variables(os.environ, cls.model_fields)
        try:
            settings = handler(values)
        except ValidationError as error:
            lines += lines_of(error, cls.model_fields)
        if lines:
            raise SettingsError("\n".join(lines)) from None
        return settings
