"""Tests for the settings and their table in the README."""

import traceback

import pytest
from pydantic import SecretStr

from starschema_assets.settings import CHECKOUT, Settings, SettingsError


def rows() -> list[str]:
    """Return the expected rows of the README's table of settings."""
    told = {
        name: " ".join(str(field.description).split())
        for name, field in Settings.model_fields.items()
    }
    return [f"| `STARSCHEMA_{n.upper()}` | {default(n)} | {text} |" for n, text in told.items()]


def default(name: str) -> str:
    """Return a default as it is written in the README."""
    value = Settings.model_fields[name].default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    shown = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{shown.replace(f'{CHECKOUT}/', '')}`" if shown else "none"


def test_the_readme_lists_every_setting_with_its_default() -> None:
    table = [
        line
        for line in (CHECKOUT / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `STARSCHEMA_")
    ]
    assert table == rows()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STARSCHEMA_LAKE_URI", "s3://bucket/prefix")
    monkeypatch.setenv("STARSCHEMA_ZERO_DATES", "")  # the same as not set
    settings = Settings()
    assert settings.lake_uri == "s3://bucket/prefix"
    assert settings.zero_dates == "refuse"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ZERO_DATES", "keep", "must be refuse or null"),
        ("SOURCE_TLS", "on", "must be auto, verify or off"),
        ("LOCK_WAIT", "long", "must be a whole number, 0 or more"),
        ("KEEP_VERSIONS", "0", "must be a whole number, 1 or more"),
        ("MAX_ORDER_AGE", "-1", "must be a whole number, 0 or more"),
        ("MAX_ROW_LOSS", "20", "must be a number from 0 to 1"),
        ("SCHEDULE_HOUR", "24", "must be a whole number from 0 to 23"),
        ("SCHEDULE_ON", "perhaps", "must be true or false"),
        ("MEMORY_LIMIT", "lots", "must be a whole number with MB or GB, such as 96MB"),
        ("SCHEDULE_TIMEZONE", "Europe/Berln", "must be an IANA .*; did you mean Europe/Berlin\\?"),
        ("ALERT_TOPIC", "https://example.com/hook", "must be the ARN of an SNS topic: arn:aws:.*"),
        ("UI_URL", "example.com", "must start with http:// or https://"),
        ("ENGINE", "glue", "=glue needs STARSCHEMA_GLUE_JOB, .*"),
        ("GLUE_CRAWLER", "stars", "needs STARSCHEMA_GLUE_DATABASE, the crawler's database"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable_and_what_is_allowed(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"STARSCHEMA_{variable}", value)
    with pytest.raises(SettingsError, match=f"^STARSCHEMA_{variable} ?{said}$"):
        Settings()


@pytest.mark.parametrize(
    ("variable", "address", "said"),
    [
        ("LAKE_URI", "gs://bucket/lake", "a directory or s3://bucket/prefix; gs: isn't supported"),
        ("LAKE_URI", "ftp:lake", "a directory or s3://bucket/prefix; ftp: isn't supported"),
        ("LAKE_URI", "S3://bucket", "a directory or s3://bucket/prefix; S3: isn't supported"),
        ("LAKE_URI", "gs//bucket", "a directory or s3://bucket/prefix; gs// isn't supported"),
        ("LAKE_URI", "s3//bucket", "a directory or s3://bucket/prefix; s3// isn't supported"),
        ("LAKE_URI", "s3://", "a directory or s3://bucket/prefix"),
        ("SCRATCH", "s3://bucket", "a path on this machine; s3: isn't supported"),
        ("CATALOG", "duckdb:///c.duckdb", "a path on this machine; duckdb: isn't supported"),
        ("SOURCE_CA", "https://example.com/ca", "a path on this machine; https: isn't supported"),
        ("SOURCE_URL", "postgresql://u:p4ss@h/d", "of the form mysql.*, or duckdb:.*path"),
        ("SOURCE_URL", "mysq+pymysql://u:p4ss@h/d", "of the form .*; did you mean mysql\\?"),
    ],
)
def test_an_address_of_an_unsupported_kind_is_refused_with_the_supported_ones(
    variable: str, address: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"STARSCHEMA_{variable}", address)
    with pytest.raises(SettingsError, match=f"^STARSCHEMA_{variable} must be {said}$") as error:
        Settings()
    assert "p4ss" not in str(error.value)


@pytest.mark.parametrize("uri", ["lake", "/srv/my lake", "./a:b", "s3://bucket", "s3://b.c/d/e"])
def test_a_directory_and_a_bucket_are_lakes(uri: str) -> None:
    assert Settings(lake_uri=uri).lake_uri == uri


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("STARSCHEMA_SORUCE_URL", "; did you mean STARSCHEMA_SOURCE_URL?"),
        ("starschema_lake", "; did you mean STARSCHEMA_LAKE_URI?"),
        ("STARSHEMA_SOURCE_URL", "; did you mean STARSCHEMA_SOURCE_URL?"),
        ("STARSCHEMA_COLOUR", ": see the list in README.md"),
    ],
)
def test_a_variable_that_is_no_setting_is_refused_with_the_nearest_one(
    variable: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "p4ssw0rd")
    with pytest.raises(SettingsError) as error:
        Settings()
    assert str(error.value) == f"{variable} isn't a setting{said}"


def test_every_fault_is_told_at_once_in_a_line_of_its_own_without_what_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STARSCHEMA_SOURCE_URL", "mysql:/u:p4ssw0rd@h/d")
    monkeypatch.setenv("STARSCHEMA_LOCK_WAIT", "p4ssw0rd")
    monkeypatch.setenv("STARSCHEMA_PASSWORD", "p4ssw0rd")
    with pytest.raises(SettingsError) as error:
        Settings()
    assert [line.split()[0] for line in str(error.value).splitlines()] == [
        "STARSCHEMA_PASSWORD",
        "STARSCHEMA_SOURCE_URL",
        "STARSCHEMA_LOCK_WAIT",
    ]
    trace = "".join(traceback.format_exception(error.value))
    assert "p4ssw0rd" not in trace
    assert "pydantic.dev" not in trace
