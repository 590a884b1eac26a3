"""Replaces `aws ssm start-session` and its plugin by a tunnel on this machine.

Neither can be installed from a package index, and a real session needs AWS. The replacement gets
the same arguments as the AWS CLI. Its tunnel ends at a port of this machine. An unknown host is one
that the instance can't reach.
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
    """Put `aws` and the plugin into a folder. Connections to a host end at a port of this machine.

    `cli` is the AWS CLI for all other commands. Without an instance, any is accepted. `inside`
    configures the command that runs commands of a session.
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
    """Run the commands of a session by appending them to this command."""
    (folder / INSIDE).write_text(json.dumps(list(command)))


def terraform_with(folder: Path, outputs: dict[str, object]) -> None:
    """Put a `terraform` into a folder that only prints these outputs."""
    values = json.dumps({name: {"value": value} for name, value in outputs.items()})
    executable(folder / "terraform", f"#!/bin/sh\ncat <<'END'\n{values}\nEND\n")


def executable(file: Path, text: str) -> None:
    """Write an executable file."""
    file.write_text(text)
    file.chmod(0o755)
