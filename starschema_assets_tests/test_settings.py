"""The settings, and what the README says of them."""

import pytest
from pydantic import SecretStr, ValidationError

from starschema_assets.settings import CHECKOUT, Settings


def rows() -> list[str]:
    """The rows of the README's table of settings."""
    return [
        f"| `STARSCHEMA_{name.upper()}` | {default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def default(name: str) -> str:
    """A default as the README shows it."""
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
    monkeypatch.setenv("STARSCHEMA_ZERO_DATES", "")  # as good as not set
    settings = Settings()
    assert settings.lake_uri == "s3://bucket/prefix"
    assert settings.zero_dates == "refuse"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STARSCHEMA_ZERO_DATES", "keep"),
        ("STARSCHEMA_MEMORY_LIMIT", "lots"),
        ("STARSCHEMA_MAX_ROW_LOSS", "20"),
        ("STARSCHEMA_SCHEDULE_HOUR", "24"),
        ("STARSCHEMA_SCHEDULE_TIMEZONE", "Mars/Olympus"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError) as error:
        Settings()
    assert variable in str(error.value).splitlines()


def test_an_error_does_not_quote_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STARSCHEMA_SOURCE_URL", "mysql://u:p4ssw0rd@h/d")
    monkeypatch.setenv("STARSCHEMA_LOCK_WAIT", "p4ssw0rd")
    with pytest.raises(ValidationError) as error:
        Settings()
    assert "p4ssw0rd" not in str(error.value)
    assert "p4ssw0rd" not in repr(error.value)
