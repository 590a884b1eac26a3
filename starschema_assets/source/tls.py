"""TLS options for both clients of the server: PyMySQL and DuckDB's extension."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starschema_assets.settings import Settings
from starschema_assets.source.errors import SourceError

LOCAL_HOSTS = {"127.0.0.1", "::1"}


@dataclass(frozen=True)
class TLS:
    """TLS mode: verified (certificate and host name), off, or else TLS if the server offers it."""

    verified: bool
    off: bool
    authority: Path | None

    @classmethod
    def to(cls, host: str, settings: Settings) -> "TLS":
        """Return the TLS mode that the settings require for this host."""
        verified = settings.source_tls == "verify" or (
            settings.source_tls == "auto" and host not in LOCAL_HOSTS
        )
        return cls(verified, settings.source_tls == "off", settings.source_ca)

    def for_pymysql(self) -> dict[str, Any]:
        """Return arguments of `pymysql.connect`. With `ssl` it rejects a server without TLS."""
        if not self.verified:
            return {"ssl_disabled": True} if self.off else {}
        file, directory = self._authorities()
        context = ssl.create_default_context(cafile=file, capath=directory)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # Python 3.13's; RDS's CA doesn't meet it
        return {"ssl": context}

    def for_duckdb(self) -> dict[str, str]:
        """Return parameters of DuckDB's secret for the connection."""
        if not self.verified:
            return {"ssl_mode": "disabled" if self.off else "preferred"}
        file, directory = self._authorities()
        authority = {"ssl_ca": file} if file else {"ssl_capath": str(directory)}
        return {"ssl_mode": "verify_identity", **authority}

    def _authorities(self) -> tuple[str | None, str | None]:
        if self.authority:
            if not self.authority.is_file():
                raise SourceError(f"STARSCHEMA_SOURCE_CA: there is no file {self.authority}")
            return str(self.authority), None
        system = ssl.get_default_verify_paths()
        if not (system.cafile or system.capath):
            raise SourceError(
                "This machine has no CA certificates to verify the server's certificate: set "
                "STARSCHEMA_SOURCE_CA to the file of its CA"
            )
        return system.cafile, system.capath
