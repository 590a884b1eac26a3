"""What is proven of the machine that Terraform made, from its first boot to an update."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path

import boto3
import pymysql

from starschema_assets_tests.inbox import Inbox
from starschema_assets_tests.mariadb import MariaDB
from starschema_assets_tests.rehearsal.account import Account
from starschema_assets_tests.rehearsal.company import DATABASE, OWNER
from starschema_assets_tests.rehearsal.machine import (
    FIRST_BOOT,
    LOCAL_SETTINGS,
    BootedMachine,
    eventually,
)
from starschema_assets_tests.rehearsal.newer import VERSION, newer_wheel
from starschema_assets_tests.rehearsal.proofs import NotProven, Proofs, expect
from starschema_assets_tests.rehearsal.webserver import Webserver
from starschema_assets_tests.seaweedfs import free_ports

VARIABLES = {"enabled": True, "instance_type": "t3.small", "architecture": "amd64"}
"""Of the architecture that the container has."""
UNITS = ["starschema-code", "starschema-daemon", "starschema-web", "postgresql", "amazon-ssm-agent"]

Commands = Callable[[], dict[str, str]]
"""The commands that Terraform prints now."""


class Instance:
    """The machine; it boots while the rehearsal does other things."""

    def __init__(self, proofs: Proofs, account: Account, server: MariaDB, authority: Path) -> None:
        self._proofs = proofs
        self._account = account
        self._server = server
        self._machine = BootedMachine(account, server, authority)
        self.debian = self._debian = self._machine.debian
        self._stack = ExitStack()
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._failure: Future[str] | None = None
        self._authority = authority
        self.inbox = Inbox(account.aws, "starschema-alerts")

    def boot(self, take_role: Callable[[], boto3.Session]) -> None:
        """Begin to boot it, once Terraform has made it; `take_role` gives what EC2 gives."""
        self.inbox.open()
        self._failure = self._worker.submit(self._machine.boot, take_role)

    def prove(self, commands: Commands, apply: Callable[[], None]) -> None:
        """From the first boot to an update of what `apply` uploads.

        Raises NoContainer where no container boots.
        """
        assert self._failure
        failure = self._failure.result()
        with self._proofs.of(
            "the machine's first boot says where it fails, and goes on to its end when run again",
            needed=True,
        ):
            expect("this step failed: the download of s3://" in failure, expected=True)
            self._machine.await_first_boot()
            expect(self._states("is-enabled", FIRST_BOOT), ["disabled"])
        with self._proofs.of("its units are active, and will be after a boot"):
            self._expect_units()
        with self._proofs.of("it listens on its loopback and nowhere else"):
            self._expect_loopback()
        web = Webserver(self._machine.forward(commands()["ui"]))
        with self._proofs.of("the command that Terraform prints leads to its UI", needed=True):
            eventually(web.answers)
        with self._proofs.of("its schedule is on, and it has the pipeline's role and no more"):
            expect(web.schedule_status("daily_refresh"), "RUNNING")
            self._expect_role()
        with self._proofs.of("the schedule's job refreshes over TLS, and the sensor crawls"):
            run = web.launch()
            expect(eventually(lambda: web.ended(run)), "SUCCESS")
            expect(eventually(web.crawl_ended), "SUCCESS")
        with self._proofs.of("no password is in its journal or its settings"):
            self._expect_no_password()
        with self._proofs.of("after a reboot it does what it did, with its history"):
            self._reboot(web)
        with self._proofs.of("a run that was killed is marked as failed, and the topic is told"):
            self._kill_a_run(web)
        with self._proofs.of("an update waits for a run, and keeps history and settings"):
            self._update(web, commands, apply)
        with self._proofs.of("a database that it can't reach is named"):
            self._miss_the_database(commands()["update"])

    def stop(self) -> None:
        """Pull the plug."""
        self._worker.shutdown(cancel_futures=True)
        self._machine.stop()
        self._stack.close()

    def _states(self, what: str, *units: str) -> list[str]:
        return self._debian.attempt("systemctl", what, *units).stdout.split()

    def _expect_units(self) -> None:
        expect(self._states("is-active", *UNITS), ["active"] * len(UNITS))
        expect(self._states("is-enabled", *UNITS), ["enabled"] * len(UNITS))

    def _expect_loopback(self) -> None:
        sockets = self._debian.run("ss", "-Hltun").splitlines()
        addresses = [line.split()[4].rpartition(":") for line in sockets]
        expect({"3000", "4000", "5432"} - {port for _, _, port in addresses}, set())
        expect([host for host, _, _ in addresses if not _is_loopback(host)], [])

    def _expect_role(self) -> None:
        ask = ("systemd-run", "--quiet", "--pipe", "--wait", "--property=User=starschema", "aws")
        who = self._debian.run(*ask, "sts", "get-caller-identity", "--region=us-east-1")
        refused = self._debian.attempt(*ask, "iam", "list-roles", "--region=us-east-1").stderr
        if ":assumed-role/starschema-pipeline/" not in who or "AccessDenied" not in refused:
            raise NotProven(f"{who}\n{refused}")

    def _expect_no_password(self) -> None:
        settings = self._debian.run("cat", "/etc/starschema/settings.env")
        journal = self._debian.run("journalctl", "--no-pager", "--output=cat")
        password = self._account.reader_password
        expect([password in settings, password in journal], [False, False])

    def _reboot(self, web: Webserver) -> None:
        boot = ("cat", "/proc/sys/kernel/random/boot_id")
        history, before = web.history(), self._debian.run(*boot)
        self._debian.reboot()
        eventually(web.answers)
        expect(self._debian.run(*boot) != before, expected=True)
        self._expect_units()
        expect(history - web.history(), set())

    def _kill_a_run(self, web: Webserver) -> None:
        self.inbox.take()
        with self._locked_table():
            run = web.launch()
            process = eventually(lambda: self._process_of(run))
            self._debian.run("bash", "-c", f"kill -KILL {process}")
            expect(eventually(lambda: web.ended(run)), "FAILURE")
        # A run that the reboot before has ended is told, too
        alerts = eventually(lambda: [each for each in self.inbox.take() if run in str(each)])
        expect(len(alerts), 1)

    def _process_of(self, run: str) -> str:
        """The process that the run has noted, or nothing: starschema_assets/processes.py."""
        noted = self._machine.python(
            "import sys; from dagster import DagsterInstance; "
            "from starschema_assets.processes import TAG; "
            "print(DagsterInstance.get().get_run_by_id(sys.argv[1]).tags.get(TAG, ''))",
            run,
        )
        return noted.rpartition(" ")[2]

    @contextmanager
    def _locked_table(self) -> Iterator[None]:
        """A run waits meanwhile for a table that it reads."""
        port = self._server.port
        with pymysql.connect(
            host="127.0.0.1",
            port=port,
            user=OWNER["username"],
            password=OWNER["password"],
            database=DATABASE,
            ssl={"ca": str(self._authority)},
        ) as connection:
            connection.cursor().execute("lock tables orders write")
            yield

    def _update(self, web: Webserver, commands: Commands, apply: Callable[[], None]) -> None:
        history, own = web.history(), self._debian.run("cat", LOCAL_SETTINGS)
        self._stack.enter_context(newer_wheel(self._account.folder, self._account.project))
        apply()
        with self._locked_table():
            run = web.launch()
            eventually(lambda: self._process_of(run))
            update = self._machine.begin(commands()["update"])
            assert update.stdout
            said = ""
            while "waiting for the run" not in said and (line := update.stdout.readline()):
                said += line
            expect([update.poll(), web.ended(run)], [None, None])
        said += update.stdout.read()
        if update.wait():
            raise NotProven(said)
        eventually(web.answers)
        expect(web.ended(run), "SUCCESS")
        expect((history | {run}) - web.history(), set())
        expect(self._debian.run("cat", LOCAL_SETTINGS), own)
        installed = "import importlib.metadata as m; print(m.version('starschema_assets'))"
        expect(self._machine.python(installed), VERSION)
        self._expect_units()

    def _miss_the_database(self, command: str) -> None:
        (closed,) = free_ports(1)
        own = self._debian.run("cat", LOCAL_SETTINGS)
        elsewhere = f"STARSCHEMA_SOURCE_URL=mysql+pymysql://127.0.0.1:{closed}/{DATABASE}\n"
        self._debian.write(LOCAL_SETTINGS, own + elsewhere)
        update = self._machine.begin(command)
        said, _ = update.communicate()
        self._debian.write(LOCAL_SETTINGS, own)
        expect(f"can't reach the database 127.0.0.1:{closed}" in said, expected=True)
        expect(update.returncode != 0, expected=True)


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:  # * is every address
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
