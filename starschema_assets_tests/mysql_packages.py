"""Downloads a real MySQL for the tests: `python -m starschema_assets_tests.mysql_packages`.

Debian's unstable suite has MySQL. Its packages and their libraries are unpacked in `.mysql/` of the
checkout, without installing them. If a MySQL is installed, it is used instead. If MySQL isn't
available, `.mysql/` contains the reason. `.mysql/found.json` is written last: without it, the
folder is incomplete.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from starschema_assets.settings import CHECKOUT
from starschema_assets_tests.database_server import as_root

FOLDER = CHECKOUT / ".mysql"
DATA = FOLDER / "data"
"""An initialized data directory to copy; creating one takes seconds."""
_ROOT = FOLDER / "root"
_FOUND = FOLDER / "found.json"
_PACKAGES = ("mysql-server-core", "mysql-client-core")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_UNAVAILABLE = re.compile(
    r"Failed to fetch|Unable to fetch|Could not (?:resolve|connect)|Release file|not signed"
    r"|Unable to locate package|no installation candidate|unmet dependencies|broken packages",
    re.IGNORECASE,
)
"""Messages of apt if the mirror or the suite has the problem; any other is a bug in this file."""


class NoMySQL(Exception):  # noqa: N818
    """MySQL isn't available on this machine at the moment; the message says why."""


@dataclass(frozen=True)
class Found:
    """A MySQL and its programs, or the reason why there is none."""

    version: str = ""
    server: tuple[str, ...] = ()
    client: tuple[str, ...] = ()
    reason: str = ""


@cache
def found() -> Found:
    """Return what the last `make test` found, without looking again."""
    if not _FOUND.is_file():
        return Found(reason="make test gets one")
    said = json.loads(_FOUND.read_text(encoding="utf-8"))
    return Found(said["version"], tuple(said["server"]), tuple(said["client"]), said["reason"])


def look() -> Found:
    """Find or download a MySQL, and let it create a data directory."""
    try:
        mysql = _installed() or _unpacked()
    except NoMySQL as error:
        mysql = Found(reason=str(error))
    if mysql.version and mysql != found():
        _FOUND.unlink(missing_ok=True)
        shutil.rmtree(DATA, ignore_errors=True)
        FOLDER.mkdir(exist_ok=True)
        _initialise(mysql)
    FOLDER.mkdir(exist_ok=True)
    half = _FOUND.with_suffix(".new")
    half.write_text(json.dumps(asdict(mysql)), encoding="utf-8")
    half.replace(_FOUND)
    return mysql


def _installed() -> Found | None:
    server = shutil.which("mysqld") or shutil.which("mysqld", path="/usr/sbin")
    client = shutil.which("mysql")
    if not (server and client) or "MariaDB" in _said([server, "--version"]):
        return None
    return Found(_version([server]), (server,), (client,))


def _unpacked() -> Found:
    if not (found().server and Path(found().server[0]).is_relative_to(FOLDER)):
        _fetch()
    (library,) = (_ROOT / "usr/lib").glob("*-linux-gnu*")
    (loader,) = library.glob("ld*.so.*")
    run = (str(loader), "--library-path", str(library), "--argv0")
    server, client = str(_ROOT / "usr/sbin/mysqld"), str(_ROOT / "usr/bin/mysql")
    command = (*run, server, server)
    return Found(_version([*command, "--no-defaults"]), command, (*run, client, client))


def places(mysql: Found) -> dict[str, str]:
    """Return the paths that an unpacked server needs as options; an installed one needs none."""
    if not Path(mysql.server[0]).is_relative_to(FOLDER):
        return {}
    return {
        "basedir": str(_ROOT / "usr"),
        "lc_messages_dir": str(_ROOT / "usr/share/mysql"),
        "plugin_dir": str(_ROOT / "usr/lib/mysql/plugin"),
    }


def _fetch() -> None:
    """Download the packages with their dependencies, and unpack them."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise NoMySQL("this machine has no apt, and MySQL is fetched from Debian's packages")
    sys.stderr.write("Fetching MySQL from Debian's unstable suite into .mysql, 350 MB\n")
    debian = mirror()
    shutil.rmtree(FOLDER, ignore_errors=True)
    apt = FOLDER / "apt"
    for folder in ("lists/partial", "archives/partial"):
        (apt / folder).mkdir(parents=True)
    (apt / "sources").write_text(f"deb [signed-by={_KEYRING}] {debian} sid main\n")
    (apt / "status").write_text(_perl(_said(["dpkg", "--print-architecture"]).strip()))
    _apt("update")
    _apt("-y", "--download-only", "install", *_PACKAGES)
    for package in sorted((apt / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, _ROOT], check=True)
    shutil.rmtree(apt)


def mirror() -> str:
    """Return the mirror that apt uses for Debian's packages."""
    form = ["--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    mirrors = sorted(set(_said(["apt-get", "indextargets", *form]).split()))
    if not mirrors:
        raise NoMySQL("apt knows no mirror of Debian on this machine")
    return mirrors[0].rstrip("/")


def _perl(architecture: str) -> str:
    """Pretend to apt that Perl is installed: the packages depend on it, the tests don't."""
    return (
        "Package: perl\nStatus: install ok installed\nVersion: 5.99\n"
        f"Architecture: {architecture}\nMulti-Arch: allowed\n"
        "Maintainer: none <none@localhost>\nDescription: none\n\n"
    )


def _apt(*arguments: str) -> None:
    """Run apt-get with a separate state, which needs neither root nor the machine's lock."""
    apt = FOLDER / "apt"
    options = {
        "Dir::Etc::sourcelist": apt / "sources",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache::archives": apt / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Acquire::Languages": "none",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "APT::Update::Error-Mode": "any",
        "Debug::NoLocking": "1",
    }
    settings = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    done = subprocess.run(
        ["apt-get", "-qq", *settings, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode and (blamed := _UNAVAILABLE.search(done.stderr + done.stdout)):
        line = next(line for line in (done.stderr + done.stdout).splitlines() if blamed[0] in line)
        raise NoMySQL(f"apt-get {arguments[0]}: {line.strip()}")
    if done.returncode:
        raise RuntimeError(f"apt-get {' '.join(arguments)}: {done.stderr}{done.stdout}")


def _initialise(mysql: Found) -> None:
    options = [f"--{name.replace('_', '-')}={value}" for name, value in places(mysql).items()]
    options += [f"--datadir={DATA}", "--innodb-redo-log-capacity=8M", *as_root()]
    command = [*mysql.server, "--no-defaults", *options, "--initialize-insecure"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"MySQL makes no data directory: {done.stdout}{done.stderr}")
    (DATA / "auto.cnf").unlink()  # the server's identity: each copy creates its own


def _version(server: list[str]) -> str:
    said = _said([*server, "--version"])
    version = re.search(r"Ver ([\d.]+)", said)
    if not version:
        raise RuntimeError(f"mysqld --version says: {said}")
    return version[1]


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    mysql = look()
    sys.stdout.write(f"MySQL {mysql.version}\n" if mysql.version else f"No MySQL: {mysql.reason}\n")
