"""Tests for user and password from Secrets Manager, with real servers and an AWS emulator."""

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from starschema_assets.source.errors import LoginRefused, SourceError
from starschema_assets.source.secret import SourceSecret
from starschema_assets.source.source import Source
from starschema_assets_tests.aws_faults import FaultyAWS, faulty_aws
from starschema_assets_tests.emulator import ROOT, Emulator, emulator
from starschema_assets_tests.source.conftest import PASSWORD, Shop, on_mariadb
from starschema_assets_tests.source.test_source import assert_keeps_password

ROTATED = "n3w 'p@ss\\"


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with emulator() as server:
        yield server


@pytest.fixture
def proxy(aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyAWS]:
    """A proxy that records this process's AWS requests; credentials are root's."""
    with faulty_aws(aws.url) as proxy:
        for name, value in ROOT.environment(proxy.url).items():
            monkeypatch.setenv(name, value)
        yield proxy


@dataclass(frozen=True)
class Secret:
    """A secret with the login of `etl`, and its database."""

    name: str
    client: Any
    shop: Shop

    def put(self, user: str = "etl", password: str = PASSWORD) -> None:
        """Write a new value, with the additional entries that RDS may add."""
        content = {"username": user, "password": password, "host": "unused.invalid", "port": 1}
        self.client.put_secret_value(SecretId=self.name, SecretString=json.dumps(content))

    def rotate_at_source(self) -> None:
        """Change the password of `etl`."""
        password = ROTATED.replace("\\", "\\\\").replace("'", "\\'")
        self.shop.server.execute(f"ALTER USER etl IDENTIFIED BY '{password}'")

    def source(self, login: str = "") -> Source:
        """Return the database as a source with the secret's login; the URL's login is ignored."""
        url = f"mysql+pymysql://{login}127.0.0.1:{self.shop.server.port}/{self.shop.name}"
        return self.shop.source(source_url=SecretStr(url), source_secret=self.name)


def stored(aws: Emulator, **value: str | bytes) -> tuple[str, Any]:
    """A new secret's name, and a client to change it."""
    client = aws.session.client("secretsmanager", endpoint_url=aws.url)
    name = f"shop/{uuid.uuid4().hex[:8]}"
    client.create_secret(Name=name, **value)
    return name, client


@pytest.fixture
def secret(aws: Emulator, proxy: FaultyAWS, shop: Shop) -> Secret:  # noqa: ARG001
    shop.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (7)")
    secret = Secret(*stored(aws, SecretString="{}"), shop)
    secret.put()
    return secret


def extract(source: Source) -> list[Any]:
    """Read the table's rows, for which both clients sign in."""
    table = source.declared(["t"])["t"]
    with source.snapshot() as snapshot:
        return snapshot.read(table).read_all()["a"].to_pylist()


@pytest.mark.parametrize("login", ["", "somebody:else@"])
def test_the_secrets_login_is_taken_whatever_the_url_has(secret: Secret, login: str) -> None:
    assert extract(secret.source(login)) == [7]


def test_the_secret_is_fetched_once_for_all_connections(secret: Secret, proxy: FaultyAWS) -> None:
    source = secret.source()
    assert proxy.asked == []
    assert extract(source) + extract(source) == [7, 7]
    assert proxy.asked == ["GetSecretValue"]


def test_a_password_rotated_between_two_extractions_is_fetched_again(
    secret: Secret, proxy: FaultyAWS
) -> None:
    source = secret.source()
    assert extract(source) == [7]
    secret.rotate_at_source()
    secret.put(password=ROTATED)
    assert extract(source) == [7]
    assert proxy.asked == ["GetSecretValue"] * 2


def test_a_password_rotated_before_the_snapshot_is_fetched_again(secret: Secret) -> None:
    source = secret.source()
    table = source.declared(["t"])["t"]
    secret.rotate_at_source()
    secret.put(password=ROTATED)
    with source.snapshot() as snapshot:
        assert snapshot.count(table) == 1


@on_mariadb
def test_the_extension_fetches_a_rotated_password_by_itself(
    secret: Secret, proxy: FaultyAWS, request: pytest.FixtureRequest
) -> None:
    """Only MariaDB: on MySQL the other client must sign in first."""
    source = secret.source()
    table = source.declared(["t"])["t"]
    secret.rotate_at_source()
    secret.put(password=ROTATED)
    request.getfixturevalue("extension_alone")
    with source.snapshot() as snapshot:
        assert snapshot.count(table) == 1
    assert proxy.asked == ["GetSecretValue"] * 2


def test_a_rotation_may_change_to_another_user(secret: Secret) -> None:
    source = secret.source()
    assert extract(source) == [7]
    secret.shop.server.execute(
        "DROP USER IF EXISTS etl_clone; CREATE USER etl_clone IDENTIFIED BY 'another'"
    )
    secret.shop.sql("GRANT SELECT ON shop.* TO etl_clone; ALTER USER etl ACCOUNT LOCK")
    secret.shop.sql("ALTER USER etl IDENTIFIED BY 'changed'")
    secret.put("etl_clone", "another")
    assert extract(source) == [7]


def test_a_second_refusal_is_the_error_and_says_where_the_login_came_from(
    secret: Secret, proxy: FaultyAWS
) -> None:
    source = secret.source()
    assert extract(source) == [7]
    secret.rotate_at_source()
    with pytest.raises(
        LoginRefused, match=r"^mysql://127.*Access denied for user 'etl'.*_SOURCE_SECRET"
    ) as error:
        source.declared(["t"])
    assert "\n" not in str(error.value)
    assert_keeps_password(error.value)
    assert proxy.asked == ["GetSecretValue"] * 2


def test_any_other_error_fetches_nothing_again(secret: Secret, proxy: FaultyAWS) -> None:
    source = secret.source()
    assert extract(source) == [7]
    secret.shop.sql("REVOKE SELECT ON shop.* FROM etl")
    with pytest.raises(SourceError):
        extract(source)
    assert proxy.asked == ["GetSecretValue"]


def test_nothing_shows_the_password(
    secret: Secret, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    source = secret.source()
    extract(source)
    with suppress(SourceError), source.snapshot() as snapshot:
        snapshot.figures("nonsense")
    shown = f"{inside(source)}{caplog.text}{capfd.readouterr()}"
    assert "Login(user='etl'" in shown
    assert PASSWORD not in shown
    assert repr(PASSWORD)[1:-1] not in shown


def inside(thing: object) -> str:
    """Yield the repr of an object and of all its attributes."""
    ours = type(thing).__module__.startswith("starschema_assets.")
    return repr(thing) + "".join(map(inside, vars(thing).values() if ours else ()))


def test_an_arn_names_the_region_too(
    aws: Emulator, proxy: FaultyAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, client = stored(aws, SecretString='{"username": "etl", "password": "p"}')
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert SourceSecret(client.describe_secret(SecretId=name)["ARN"]).login().user == "etl"
    assert proxy.asked == ["GetSecretValue"]


@pytest.mark.parametrize(
    "value",
    [
        {"SecretString": PASSWORD},
        {"SecretString": f'{{"username": "etl", "password": "{PASSWORD}'},
        {"SecretString": json.dumps({"username": "etl"})},
        {"SecretString": json.dumps({"user": "etl", "password": PASSWORD})},
        {"SecretString": json.dumps({"username": "etl", "password": [PASSWORD]})},
        {"SecretString": json.dumps({"username": "", "password": PASSWORD})},
        {"SecretString": json.dumps([PASSWORD])},
        {"SecretString": f"{PASSWORD}: 1"},
        {"SecretBinary": PASSWORD.encode()},
    ],
)
def test_a_secret_of_another_form_says_which_it_must_have_and_nothing_of_its_content(
    aws: Emulator,
    proxy: FaultyAWS,  # noqa: ARG001
    value: dict[str, str | bytes],
) -> None:
    name, _ = stored(aws, **value)
    with pytest.raises(SourceError, match=f"^STARSCHEMA_SOURCE_SECRET {name}: .*JSON") as error:
        SourceSecret(name).login()
    assert_keeps_password(error.value)


def test_a_secret_that_is_not_there_is_named(proxy: FaultyAWS) -> None:  # noqa: ARG001
    with pytest.raises(
        SourceError, match=r"^STARSCHEMA_SOURCE_SECRET no/such: .*can't find.* Create it"
    ):
        SourceSecret("no/such").login()


def test_a_secret_that_is_to_be_deleted_is_named(aws: Emulator, proxy: FaultyAWS) -> None:  # noqa: ARG001
    name, client = stored(aws, SecretString="{}")
    client.delete_secret(SecretId=name)
    with pytest.raises(SourceError, match=f"{name}: .*marked for deletion"):
        SourceSecret(name).login()


def test_a_missing_permission_is_named(
    aws: Emulator, proxy: FaultyAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = stored(aws, SecretString="{}")
    for variable, value in aws.user("secretsmanager:ListSecrets").environment(proxy.url).items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SourceError, match=f"{name}: allow secretsmanager:GetSecretValue"):
        SourceSecret(name).login()


@pytest.mark.usefixtures("proxy")
def test_a_machine_without_credentials_or_region_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SourceError, match=r"shop: AWS can't be .* credentials"):
        SourceSecret("shop").login()
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(SourceError, match=r"shop: AWS can't be .* region"):
        SourceSecret("shop").login()


def test_a_secret_is_refused_for_a_source_that_knows_no_login(shop: Shop) -> None:
    source = shop.source(source_url=SecretStr("duckdb:////shop.duckdb"), source_secret="shop")
    with pytest.raises(SourceError, match=r"STARSCHEMA_SOURCE_SECRET .* mysql"):
        source.declared(["orders"])
