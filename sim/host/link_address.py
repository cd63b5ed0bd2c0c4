"""Where a host can be reached: `unix:/path` or `tcp:host:port`, and who may come in there.

A Unix socket is for the processes of one user: its file is the owner's alone, in a folder that nobody else may write to, and
on Linux the system says who is at the other end. TCP leaves the machine only with certificates that both sides verify.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

from sim.base.errors import ConfigError, brief
from sim.sessions.hold import lock_file

BACKLOG = 16
_RIGHT = "write unix:/path or tcp:host:port"


@dataclass(frozen=True)
class Tls:
    """A certificate of one's own and its key, and the authority that has signed those of the others; files in PEM. Who is
    connected to has to have the host of its address in its certificate."""

    certificate: str | Path
    key: str | Path
    authority: str | Path

    def context(self, *, listens: bool) -> ssl.SSLContext:
        """Both sides are verified. Raises `ConfigError` for files that will not do."""
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if listens else ssl.PROTOCOL_TLS_CLIENT)
        found.minimum_version = ssl.TLSVersion.TLSv1_2
        found.verify_mode = ssl.CERT_REQUIRED
        for name in (self.certificate, self.key, self.authority):
            if not Path(name).is_file():
                raise ConfigError(f"tls: there is no file {name}")
        try:
            found.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ValueError) as error:
            what = f"tls: {self.certificate} and {self.key} are not a certificate and its key"
            raise ConfigError(f"{what}: {_reason(error)}; name PEM files, the key without a password") from None
        try:
            found.load_verify_locations(self.authority)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"tls: {self.authority} holds no certificate: {_reason(error)}; name a PEM file"
            ) from None
        return found


def _no_password() -> str:
    raise ValueError("it has a password")


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)


@dataclass(frozen=True)
class Endpoint:
    """An address, taken apart: a `path`, or `host` and `port`."""

    address: str
    path: str = ""
    host: str = ""
    port: int = 0

    @property
    def numeric(self) -> str:
        """The host to ask the system for: what is called local is, whatever the machine's tables say."""
        return "127.0.0.1" if self.host == "localhost" else self.host


def endpoint_of(address: str, tls: Tls | None, *, insecure: bool, listens: bool) -> Endpoint:
    """Raises `ConfigError` for what is not an address, or one that others could listen in on."""
    kind, _, rest = address.partition(":")
    if kind == "unix" and rest:
        if tls is not None:
            raise ConfigError(f"{address}: a Unix socket does not leave the machine; leave tls out")
        if not Path(rest).is_absolute() or len(os.fsencode(rest)) > 100:
            raise ConfigError(f"{address}: name the whole path of the socket, in at most 100 bytes")
        return Endpoint(address, path=rest)
    host, _, port = rest.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if kind != "tcp" or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ConfigError(f"{brief(address)} is not an address of a host; {_RIGHT}")
    if int(port) == 0 and not listens:
        raise ConfigError(f"{address}: nobody can be reached at port 0; name the port")
    if tls is None and not insecure and not _is_local(host):
        what = "anybody on the way could read and write" if not listens else "anybody who can reach it could write"
        raise ConfigError(f"{address}: {what}; give tls=Tls(certificate, key, authority), or say insecure=True")
    return Endpoint(address, host=host, port=int(port))


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_foreign(connected: socket.socket) -> bool:
    """Whether a process of another user is at the other end of a Unix socket, as far as the system says."""
    if connected.family != getattr(socket, "AF_UNIX", None) or not hasattr(socket, "SO_PEERCRED"):
        return False
    told = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", told)[1] != os.geteuid())


def listening(endpoint: Endpoint) -> tuple[socket.socket, int | None]:
    """A socket that listens there, and the lock that keeps its path. Raises `ConfigError`."""
    return _at_path(endpoint) if endpoint.path else (_at_port(endpoint), None)


def _at_port(endpoint: Endpoint) -> socket.socket:
    try:
        family, _, _, _, where = socket.getaddrinfo(
            endpoint.numeric, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(where[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(f"{endpoint.address}: nobody can listen there: {error.strerror}") from None


def _at_path(endpoint: Endpoint) -> tuple[socket.socket, int]:
    address, path = endpoint.address, Path(endpoint.path)
    if not hasattr(socket, "AF_UNIX"):
        raise ConfigError(f"{address}: this system has no Unix sockets; {_RIGHT}")
    _check_folder(address, path.parent)
    busy = f"{address}: somebody listens there already; end who does, or name another path"
    lock = lock_file(path.with_name(path.name + ".lock"), busy)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear(address, path, busy)
        os.fchmod(made.fileno(), 0o600)  # on Linux the file is born so
        made.bind(str(path))
        path.chmod(0o600)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        os.close(lock)
        raise ConfigError(f"{address}: nobody can listen there: {error.strerror}") from None
    except BaseException:
        made.close()
        os.close(lock)
        raise
    return made, lock


def _check_folder(address: str, folder: Path) -> None:
    try:
        found = folder.stat()
    except OSError as error:
        raise ConfigError(f"{address}: there is no such folder: {error.strerror}; make it first") from None
    if found.st_uid not in (os.geteuid(), 0) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(f"{address}: others may write to {folder}; name a folder that is yours alone")


def _clear(address: str, path: Path, busy: str) -> None:
    """Take a socket away that somebody has left there who was killed."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ConfigError(f"{address}: is not a socket; name another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError:
            pass  # its backlog is full, or the like: somebody is there
    raise ConfigError(busy)
