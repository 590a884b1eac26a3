"""A Debian with systemd in a container: the one that the images of EC2 have, less a kernel."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from starschema_assets_tests.mysql_packages import NoMySQL, mirror
from starschema_assets_tests.rehearsal.networks import Network

RELEASE = "trixie"
"""Debian 13, as in terraform/machine.tf."""
PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates,iproute2"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BOOT_SECONDS = 60
STOP_SECONDS = 60


class NoContainer(Exception):  # noqa: N818 - reads as what happened
    """Why no container boots on this machine."""


class Debian:
    """A container; its files, which take some seconds to make, are made in the background."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "debian"
        self.network: Network | None = None
        self._log = folder / "debian.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._maker = ThreadPoolExecutor(max_workers=1)
        self._made: Future[None] = self._maker.submit(self._make)

    def boot(self, environment: Mapping[str, str], files: Mapping[str, str]) -> None:
        """Boot it with these files, and variables in the environment of all that systemd starts.

        Raises NoContainer.
        """
        self._made.result()
        try:
            self.network = Network()
        except OSError as error:
            raise NoContainer(f"no network namespace: {error}") from error
        lines = "".join(
            f'DefaultEnvironment="{name}={value}"\n' for name, value in environment.items()
        )
        self.write("/etc/systemd/system.conf.d/rehearsal.conf", f"[Manager]\n{lines}")
        for path, text in files.items():
            self.write(path, text)
        self._start()

    def write(self, path: str, text: str) -> None:
        """Write one of its files."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as its root."""
        return subprocess.run(self.inside(*command), capture_output=True, text=True, check=False)

    def run(self, *command: str) -> str:
        """What a command in it prints. Raises RuntimeError if it fails."""
        done = self.attempt(*command)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}:\n{(done.stdout + done.stderr)[-4000:]}")
        return done.stdout

    def begin(self, *command: str) -> subprocess.Popen[str]:
        """Begin a command in it, whose output can be read."""
        return subprocess.Popen(
            self.inside(*command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def reboot(self) -> None:
        """Reboot it, as it does by itself."""
        assert self._process
        self.attempt("systemctl", "reboot")
        self._process.wait(STOP_SECONDS)
        self._start()

    def stop(self) -> None:
        """Pull the plug."""
        self._made.cancel()
        self._maker.shutdown()
        if leader := self._leader():
            os.kill(int(leader), signal.SIGKILL)  # which ends all that is in it
        if self._process:
            self._process.wait(STOP_SECONDS)
        if self.network:
            self.network.close()

    def _make(self) -> None:
        if os.geteuid():
            raise NoContainer("only root boots one")
        for program in ("mmdebstrap", "systemd-nspawn", "nsenter"):
            if not shutil.which(program):
                raise NoContainer(f"{program} is missing")
        try:
            source = mirror()
        except NoMySQL as error:
            raise NoContainer(str(error)) from error
        command = ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}"]
        command += [RELEASE, str(self.root), source]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise NoContainer(f"mmdebstrap: {made.stderr[-2000:]}")

    def _start(self) -> None:
        assert self.network
        with self._log.open("ab") as log:
            command = ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}"]
            command += ["--register=no", "--keep-unit", "--console=pipe"]  # no systemd around it
            command += ["--machine=starschema", "--link-journal=no"]
            command += ["--resolv-conf=off", "--timezone=off"]
            command += [f"--network-namespace-path={self.network.path}"]
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + BOOT_SECONDS
        state = ""
        while time.monotonic() < deadline and self._process.poll() is None:
            state = self._state()
            if state in {"running", "degraded", "starting"}:
                return
            time.sleep(0.2)
        raise NoContainer(f"it didn't boot ({state}): {self._log.read_text()[-2000:]}")

    def _state(self) -> str:
        if not self._leader():
            return ""
        return self.attempt("systemctl", "is-system-running").stdout.strip()

    def _leader(self) -> str:
        """The process that is its init; empty as long as there is none."""
        if self._process is None:
            return ""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return children.read_text().strip() if children.exists() else ""

    def inside(self, *command: str) -> list[str]:
        """The command that runs another one in it, as its root."""
        leader = self._leader()
        if not leader:
            raise RuntimeError("the container isn't running")
        clean = ("env", "--ignore-environment", f"PATH={PATH}")
        return ["nsenter", f"--target={leader}", "--all", *clean, *command]
