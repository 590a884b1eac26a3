"""Stands in for `aws ssm start-session` and the plugin that it needs: a tunnel on this machine.

Neither can be had from a package index, and only AWS has the other end of a session. What the
stand-in is given is what the AWS CLI would be given; where the tunnel ends is a port of this
machine. A host that it doesn't know is one that the instance can't reach.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
INSTANCE = "i-0123456789abcdef0"
INSIDE = "inside.json"

AWS = """\
#!{python}
import json, os, socket, sys, threading

if sys.argv[1:3] != ["ssm", "start-session"]:
    os.execv({cli!r}, [{cli!r}, *sys.argv[1:]])
arguments = dict(zip(sys.argv[3::2], sys.argv[4::2]))
assert arguments["--region"]
if arguments["--document-name"] == "AWS-StartInteractiveCommand":
    (line,) = json.loads(arguments["--parameters"].removeprefix("command="))
    with open({inside!r}) as file:
        inside = json.load(file)
    os.execvp(inside[0], [*inside, "bash", "-c", line])
parameters = json.loads(arguments["--parameters"])
assert arguments["--document-name"] == {document!r}
if {instance!r} not in ("", arguments["--target"]):
    sys.exit(f"An error occurred (TargetNotConnected): {{arguments['--target']}} is not connected.")
port = {ends!r}.get(parameters["host"][0])


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


server = socket.create_server(("127.0.0.1", int(parameters["localPortNumber"][0])))
print("Waiting for connections...", flush=True)
while True:
    here, _ = server.accept()
    if port is None:
        here.close()
        continue
    there = socket.create_connection(("127.0.0.1", port))
    for ends in ((here, there), (there, here)):
        threading.Thread(target=pump, args=ends, daemon=True).start()
"""


def stand_in(
    folder: Path,
    ends: dict[str, int],
    cli: Path = Path("/bin/false"),
    instance: str = INSTANCE,
) -> None:
    """Put `aws` and the plugin into a folder; each host ends at a port of this machine.

    `cli` is the AWS CLI that does everything else. No instance means any. Commands of a session are
    begun by what `inside` has put there.
    """
    text = AWS.format(
        python=sys.executable,
        document=DOCUMENT,
        instance=instance,
        inside=str(folder / INSIDE),
        ends=ends,
        cli=str(cli),
    )
    executable(folder / "aws", text)
    executable(folder / "session-manager-plugin", "#!/bin/sh\n")


def inside(folder: Path, command: Sequence[str]) -> None:
    """Let commands of a session run by this one, whose last words they are."""
    (folder / INSIDE).write_text(json.dumps(list(command)))


def terraform_with(folder: Path, outputs: dict[str, object]) -> None:
    """Put a `terraform` into a folder that has these outputs, and does nothing else."""
    values = json.dumps({name: {"value": value} for name, value in outputs.items()})
    executable(folder / "terraform", f"#!/bin/sh\ncat <<'END'\n{values}\nEND\n")


def executable(file: Path, text: str) -> None:
    """Write a program."""
    file.write_text(text)
    file.chmod(0o755)
