"""Tests for TLS with test certificates, on a real MariaDB and MySQL."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from pydantic import SecretStr

from starschema_assets.settings import Settings
from starschema_assets.source.errors import ConnectionLost, SourceError, translated
from starschema_assets.source.source import Source
from starschema_assets.source.tls import TLS
from starschema_assets_tests.authority import Authority
from starschema_assets_tests.servers import KINDS, server_of
from starschema_assets_tests.source.conftest import PASSWORD, Shop, create_shop, on_mysql

CIPHER = "SHOW STATUS LIKE 'Ssl_cipher'"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "right")


@pytest.fixture(scope="module", params=KINDS)
def secured(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A shop on a server with a certificate for 127.0.0.1."""
    options = authority.issue("here", x509.IPAddress(ip_address("127.0.0.1")))
    with server_of(request.param, **options) as server:
        shop = create_shop(server, tmp_path_factory.mktemp("scratch"))
        shop.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        yield shop


def assert_refused(source: Source, message: str) -> None:
    """Assert that neither client connects."""
    with pytest.raises(SourceError, match=message):
        source.declared(["t"])
    with pytest.raises(SourceError, match=message), source.snapshot():
        pass


def test_the_right_authority_secures_both_connections(secured: Shop, authority: Authority) -> None:
    secured.sql("ALTER USER etl REQUIRE SSL")
    source = secured.source(source_tls="verify", source_ca=authority.file)
    assert list(source.declared(["t"])) == ["t"]
    with source.snapshot() as snapshot:
        ((_, cipher),) = snapshot.figures(CIPHER)
    secured.sql("ALTER USER etl REQUIRE NONE")
    assert cipher.startswith("TLS_")


def test_another_authority_is_refused(secured: Shop, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    source = secured.source(source_tls="verify", source_ca=other.file)
    assert_refused(source, "certificate.*STARSCHEMA_SOURCE_CA")


def test_the_systems_authorities_do_not_know_the_servers(secured: Shop) -> None:
    assert_refused(secured.source(source_tls="verify"), "certificate.*STARSCHEMA_SOURCE_CA")


@pytest.fixture(scope="module", params=KINDS)
def elsewhere(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A shop on a server with a certificate for another host."""
    options = authority.issue("elsewhere", x509.DNSName("elsewhere.example"))
    with server_of(request.param, **options, bind_address="127.0.0.1,127.0.0.2") as server:
        shop = create_shop(server, tmp_path_factory.mktemp("scratch"))
        shop.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        yield shop


def test_a_certificate_for_another_host_is_refused(elsewhere: Shop, authority: Authority) -> None:
    source = elsewhere.source(source_tls="verify", source_ca=authority.file)
    assert_refused(source, "issued for the host")


@pytest.mark.usefixtures("extension_alone")
@pytest.mark.parametrize("harm", ["another host", "another authority", "no authority"])
def test_the_extension_refuses_by_itself(
    elsewhere: Shop, authority: Authority, tmp_path: Path, harm: str
) -> None:
    """Without PyMySQL, which would reject the certificate first."""
    authorities = {"another authority": Authority(tmp_path / "other").file, "no authority": None}
    # not 127.0.0.1: for it, the extension doesn't verify the name
    url = elsewhere.server.url("etl", PASSWORD, "shop").replace("127.0.0.1", "127.0.0.2")
    source = elsewhere.source(
        source_url=SecretStr(url),
        source_tls="auto",
        source_ca=authorities.get(harm, authority.file),
    )
    with pytest.raises(SourceError, match="STARSCHEMA_SOURCE_CA"), source.snapshot():
        pass


def test_the_extension_is_told_to_verify_the_name(authority: Authority) -> None:
    """A connection can't show this: with a CA, DuckDB 1.5.5 verifies the name in any mode."""
    settings = Settings(source_tls="verify", source_ca=authority.file)
    told = TLS.to("db.example", settings).for_duckdb()
    assert told == {"ssl_mode": "verify_identity", "ssl_ca": str(authority.file)}


@pytest.mark.usefixtures("extension_alone")
def test_over_tls_the_extension_logs_in_by_itself(secured: Shop, authority: Authority) -> None:
    """Also if the server no longer caches the password's digest, which happens on MySQL."""
    secured.sql("FLUSH PRIVILEGES")
    source = secured.source(source_tls="verify", source_ca=authority.file)
    with source.snapshot() as snapshot:
        assert snapshot.figures(CIPHER)[0][1].startswith("TLS_")


@pytest.mark.usefixtures("extension_alone")
def test_the_extension_refuses_a_server_without_tls_by_itself(
    shop: Shop, authority: Authority
) -> None:
    source = shop.source(source_tls="verify", source_ca=authority.file)
    with pytest.raises(SourceError, match="STARSCHEMA_SOURCE_CA"), source.snapshot():
        pass


def test_a_server_without_tls_is_refused(shop: Shop, authority: Authority) -> None:
    shop.sql("CREATE TABLE t (a int)")
    source = shop.source(source_tls="verify", source_ca=authority.file)
    assert_refused(source, r"(?i)ssl|tls")


def test_a_missing_file_of_the_authority_is_named(shop: Shop, tmp_path: Path) -> None:
    source = shop.source(source_tls="verify", source_ca=tmp_path / "gone.pem")
    assert_refused(source, r"STARSCHEMA_SOURCE_CA: there is no file .*gone\.pem")


def test_a_local_server_is_spoken_to_over_the_tls_that_it_offers(secured: Shop) -> None:
    with secured.source().snapshot() as snapshot:
        assert snapshot.figures(CIPHER)[0][1].startswith("TLS_")


def test_a_local_server_that_offers_no_tls_is_spoken_to_without(shop: Shop) -> None:
    with shop.source().snapshot() as snapshot:
        assert snapshot.figures(CIPHER) == [("Ssl_cipher", "")]


def test_off_means_off(secured: Shop) -> None:
    source = secured.source(source_tls="off")
    assert list(source.declared(["t"])) == ["t"]
    with source.snapshot() as snapshot:
        assert snapshot.figures(CIPHER) == [("Ssl_cipher", "")]


@pytest.mark.parametrize("said", ["unexpected eof while reading", "Broken pipe"])
def test_the_end_of_a_secured_connection_is_a_lost_one(said: str) -> None:
    """Which message appears depends on timing, so a server can't be made to produce each."""
    assert isinstance(translated(f"TLS/SSL error: {said}", "here"), ConnectionLost)


@pytest.fixture
def insisting(secured: Shop) -> Iterator[Shop]:
    """A server that rejects connections without TLS."""
    secured.sql("SET GLOBAL require_secure_transport = ON")
    yield secured
    secured.sql("SET GLOBAL require_secure_transport = OFF")


def test_a_server_that_insists_on_tls_gets_it(insisting: Shop) -> None:
    assert insisting.read("t").num_rows == 1


@pytest.mark.parametrize("secured", ["mysql"], indirect=True)
def test_mysql_that_insists_on_tls_says_so_and_the_setting_is_named(insisting: Shop) -> None:
    source = insisting.source(source_tls="off")
    assert_refused(source, "insecure transport.*STARSCHEMA_SOURCE_TLS to auto")


@on_mysql
def test_mysql_takes_the_extension_without_tls_only_after_the_first_client(
    shop: Shop, request: pytest.FixtureRequest
) -> None:
    """The server must cache the password's digest: PyMySQL sends the password with RSA."""
    shop.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1); FLUSH PRIVILEGES")
    assert shop.read("t").num_rows == 1
    source = shop.source()
    shop.sql("FLUSH PRIVILEGES")
    request.getfixturevalue("extension_alone")
    with pytest.raises(SourceError, match="Access denied"), source.snapshot():
        pass


@pytest.mark.parametrize(
    ("host", "setting", "verified"),
    [
        ("db.example", "auto", True),
        ("10.0.0.5", "auto", True),
        ("127.0.0.1", "auto", False),
        ("::1", "auto", False),
        ("127.0.0.1", "verify", True),
        ("db.example", "off", False),
    ],
)
def test_only_a_local_host_is_not_verified_by_default(
    host: str, setting: str, *, verified: bool
) -> None:
    assert TLS.to(host, Settings(source_tls=setting)).verified is verified
