"""The network of a container, which has nothing but a loopback of its own, and ways across."""

import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Made = TypeVar("Made")

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_HERE = "127.0.0.1"


class Network:
    """A network namespace that lasts as long as this object is open, whoever comes and goes."""

    def __init__(self) -> None:
        self._file = _in_thread(self._make)
        self._listeners: list[socket.socket] = []

    @property
    def path(self) -> str:
        """Its file, for other programs."""
        return f"/proc/{os.getpid()}/fd/{self._file}"

    def let_in(self, port: int) -> None:
        """Let it reach a port of this machine's loopback, at the same port of its own."""
        listener = _in_thread(lambda: self._inside(lambda: socket.create_server((_HERE, port))))
        self._relay(listener, lambda: socket.create_connection((_HERE, port)))

    def forward(self, port: int) -> int:
        """The port of this machine that leads to a port of its loopback."""

        def connect() -> socket.socket:
            return _in_thread(lambda: self._inside(lambda: socket.create_connection((_HERE, port))))

        listener = socket.create_server((_HERE, 0))
        self._relay(listener, connect)
        chosen: int = listener.getsockname()[1]
        return chosen

    def close(self) -> None:
        """End the ways across."""
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        os.close(self._file)

    def _make(self) -> int:
        _call("unshare", _CLONE_NEWNET)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    def _inside(self, make: Callable[[], Made]) -> Made:
        _call("setns", self._file, _CLONE_NEWNET)
        return make()

    def _relay(self, listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
        self._listeners.append(listener)

        def serve() -> None:
            with suppress(OSError):  # closed
                while True:
                    near, _ = listener.accept()
                    threading.Thread(target=_join, args=(near, connect), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()


def _join(near: socket.socket, connect: Callable[[], socket.socket]) -> None:
    try:
        far = connect()
    except OSError:
        near.close()
        return
    with near, far:
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for end, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with suppress(OSError):
            end.shutdown(how)


def _in_thread(make: Callable[[], Made]) -> Made:
    """What is made in a thread of its own: a thread that changed its namespace isn't used again."""
    made: list[Made] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(make())
        except BaseException as error:  # noqa: BLE001 - raised again below
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]


def _call(name: str, *arguments: int) -> None:
    """A system call that Python 3.11 doesn't have."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
