"""`make rehearse`: the AWS side from nothing to nothing, in an emulator that enforces permissions.

Exits with 1 if a proof fails.
"""

import sys
import tempfile
from pathlib import Path

from starschema_assets_tests.rehearsal.account import account
from starschema_assets_tests.rehearsal.company import database
from starschema_assets_tests.rehearsal.machine import STAND_INS
from starschema_assets_tests.rehearsal.proofs import Proofs
from starschema_assets_tests.rehearsal.stages import Rehearsal
from starschema_assets_tests.terraform.terraform import MISSING, terraform_is_missing

UNPROVEN = """\
  what a Glue crawler makes of the files (a stand-in describes them here)
  what the key's policy and the statements about the key allow: nothing here is really encrypted
  that Athena reads with the rights of who asks: the emulator's reads whatever there is
  that Glue takes the roles of crawler and Spark job, and writes to the log groups made for it,
  and what its own workers ask of S3 (a stand-in runs the script on this machine's Spark)
  MySQL 8 on RDS: its parameter group, its certificate, its managed password (a MariaDB stands in)
  that Session Manager opens a tunnel to it (a stand-in does)
  how long things take, and what they cost
"""


def main() -> int:
    """Rehearse, and print what was proven and what only a real account can prove."""
    if terraform_is_missing():
        print(f"make rehearse: {MISSING}", file=sys.stderr)
        return 1
    proofs = Proofs()
    print("Rehearsing the AWS side (about 15 minutes)", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="rehearsal") as folder,
        database(Path(folder)) as (server, authority),
        account(Path(folder), server.port) as emulated,
    ):
        rehearsal = Rehearsal(proofs, emulated, server, authority)
        try:
            rehearsal.play()
        except Exception as error:  # noqa: BLE001 - it is in the table, or is added to it
            proofs.add_failure(error)
    print(f"\n{proofs.table()}\n\nOnly a real account can prove:\n{UNPROVEN}")
    if rehearsal.not_rehearsed:
        print(f"Not rehearsed: {rehearsal.not_rehearsed}\n")
    else:
        print(f"Stand-ins of the machine:\n{STAND_INS}")
    print(f"{len(proofs.lines)} proofs, {proofs.failed} failed.")
    return 1 if proofs.failed else 0


if __name__ == "__main__":
    sys.exit(main())
