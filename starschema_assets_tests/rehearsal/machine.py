"""The machine that Terraform made, in a container: its first boot, and the sessions on it."""

import base64
import json
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import boto3

from starschema_assets_tests.environment import python_with
from starschema_assets_tests.mariadb import MariaDB
from starschema_assets_tests.rehearsal.account import Account
from starschema_assets_tests.rehearsal.debian import Debian
from starschema_assets_tests.rehearsal.metadata import metadata
from starschema_assets_tests.rehearsal.proofs import NotProven, expect
from starschema_assets_tests.seaweedfs import free_ports

PROXY = "proxy.py==2.4.10"
FIRST_BOOT = "starschema-first-boot"
USER_DATA = "/var/lib/cloud/instance/scripts/part-001"
LOCAL_SETTINGS = "/etc/starschema/local.env"
AGENT = "[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
PATIENCE_SECONDS = 600

STAND_INS = """\
  cloud-init, which runs the first-boot script: the container's root runs it
  the agent of Session Manager, and the sessions it makes: what they forward and run is done here
  the metadata of EC2, over the loopback: it gives a session of the pipeline's role, by IMDSv2
  the certificates of RDS, which can't be fetched here: those of the database of the rehearsal
  the way to the internet: a proxy; the way to AWS: the emulator's address in the environment
  Debian's image and its kernel: the same release, without a kernel of its own
"""

Seen = TypeVar("Seen")


class BootedMachine:
    """A container that is what EC2 would boot."""

    def __init__(self, account: Account, server: MariaDB, authority: Path) -> None:
        self.debian = Debian(account.folder)
        self._account = account
        self._server = server
        self._authority = authority
        self._stack = ExitStack()

    def boot(self, take_role: Callable[[], boto3.Session]) -> str:
        """Boot, and run the first-boot script without a way to AWS, then with one.

        Returns what the first boot said when it failed; it goes on in the background.
        """
        proxy = self._stack.enter_context(_proxy())
        credentials = self._stack.enter_context(metadata("starschema-pipeline", take_role()))
        self.debian.boot(
            {
                "AWS_ENDPOINT_URL": self._account.aws.url,
                "AWS_ENDPOINT_URL_GLUE": self._account.proxy.url,
                "AWS_CA_BUNDLE": "/etc/rehearsal/aws.pem",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{credentials}/",
                "http_proxy": f"http://127.0.0.1:{proxy}",
                "https_proxy": f"http://127.0.0.1:{proxy}",
                "no_proxy": "127.0.0.1,localhost",
                "SSL_CERT_FILE": "/etc/rehearsal/web.pem",
                "PIP_CERT": "/etc/rehearsal/web.pem",
            },
            {
                "/etc/rehearsal/aws.pem": self._account.authority.file.read_text(),
                "/etc/rehearsal/web.pem": Path("/etc/ssl/certs/ca-certificates.crt").read_text(),
                "/etc/systemd/system/amazon-ssm-agent.service": AGENT,
                "/etc/starschema/rds.pem": self._authority.read_text(),
                LOCAL_SETTINGS: "STARSCHEMA_SOURCE_TLS=verify\n",
                USER_DATA: self._user_data(),
            },
        )
        self._let_in(proxy, self._server.port)
        self.debian.run("bash", USER_DATA)
        said = eventually(lambda: self.journal() if "step failed" in self.journal() else None)
        urls = (self._account.aws.url, self._account.proxy.url)
        self._let_in(credentials, *(int(url.rpartition(":")[2]) for url in urls))
        self.debian.run("systemctl", "restart", "--no-block", FIRST_BOOT)
        return said

    def await_first_boot(self) -> None:
        """Wait until it is done. Raises NotProven if it failed."""

        def ended() -> str | None:
            shown = self.debian.run("systemctl", "show", "-p", "ActiveState,Result", FIRST_BOOT)
            return None if "activating" in shown else shown

        if "Result=success" not in eventually(ended) or "install: done" not in self.journal():
            raise NotProven(self.journal()[-3000:])

    def journal(self) -> str:
        """What the first boot said."""
        return self.debian.run("journalctl", "--no-pager", "--output=cat", f"--unit={FIRST_BOOT}")

    def forward(self, command: str) -> str:
        """Do what Session Manager does by this command: the URL at which a port is here."""
        document, parameters = self._asked(command)
        expect(document, "AWS-StartPortForwardingSession")
        ports = dict(pair.split("=") for pair in parameters.split(","))
        assert self.debian.network
        return f"http://127.0.0.1:{self.debian.network.forward(int(ports['portNumber']))}"

    def begin(self, command: str) -> "subprocess.Popen[str]":
        """Do what Session Manager does by this command: begin another one on the machine."""
        document, parameters = self._asked(command)
        expect(document, "AWS-StartInteractiveCommand")
        (line,) = json.loads(parameters.removeprefix("command="))
        return self.debian.begin("bash", "-c", line)

    def python(self, code: str, *arguments: str) -> str:
        """What the project's Python prints, as the user of the units."""
        python = ("/opt/starschema/.venv/bin/python", "-c", code, *arguments)
        home = "DAGSTER_HOME=/var/lib/starschema"
        user = ("runuser", "-u", "starschema", "--")
        return self.debian.run(*user, "env", "-C", "/", home, *python).strip()

    def stop(self) -> None:
        """Pull the plug."""
        self.debian.stop()
        self._stack.close()

    def _let_in(self, *ports: int) -> None:
        assert self.debian.network
        for port in ports:
            self.debian.network.let_in(port)

    def _instance(self) -> str:
        running = {"Name": "instance-state-name", "Values": ["running"]}
        found = self._account.client("ec2").describe_instances(Filters=[running])
        (id_,) = [
            one["InstanceId"] for group in found["Reservations"] for one in group["Instances"]
        ]
        named: str = id_
        return named

    def _user_data(self) -> str:
        answer = self._account.client("ec2").describe_instance_attribute(
            InstanceId=self._instance(), Attribute="userData"
        )
        return base64.b64decode(answer["UserData"]["Value"]).decode()

    def _asked(self, command: str) -> tuple[str, str]:
        """Document and parameters of a start-session command for this machine."""
        words = shlex.split(command)
        expect(words[:3], ["aws", "ssm", "start-session"])
        options = dict(zip(words[3::2], words[4::2], strict=True))
        expect(options["--target"], self._instance())
        return options["--document-name"], options["--parameters"]


def eventually(look: Callable[[], Seen | None]) -> Seen:
    """What is seen as soon as it is something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.5)
    raise NotProven(f"not seen within {PATIENCE_SECONDS} s")


@contextmanager
def _proxy() -> Iterator[int]:
    """The port of a proxy to the internet, for a container that has no other way there."""
    (port,) = free_ports(1)
    command = [str(python_with("proxy", PROXY)), "-m", "proxy", "--log-level=ERROR"]
    command += ["--hostname=127.0.0.1", f"--port={port}", "--num-acceptors=1", "--num-workers=1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()
