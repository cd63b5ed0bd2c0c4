"""A real PostgreSQL server for tests: of this process alone, in a folder of its own, on a Unix socket only.

Its programs are Debian's, or whatever is on the PATH, or those that `make unit` put beside the environment. It is started
where a test first asks for it, with fsync on. A server refuses to run as root, so there it runs as somebody else; and it
ends with the tests, also where they are killed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")
BESIDE = Path(__file__).parents[1] / ".venv-postgres"
"""Where `make unit` puts the binaries of a package, where it may not install Debian's."""
MISSING = "no PostgreSQL: `make unit` installs it where it can; else install the package postgresql"
USERS = ("postgres", "nobody")
LOCKED = "locked"
"""A role that needs its password."""
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "40",
    "shared_buffers": "16MB",
    "fsync": "on",
    "dynamic_shared_memory_type": "mmap",
}


def programs() -> Path:
    """The folder of `initdb` and `postgres`; fails where there is none."""
    debian = DEBIAN.glob("*/bin")
    folders = sorted(debian, key=lambda path: [int(part) for part in path.parent.name.split(".")], reverse=True)
    if found := shutil.which("postgres"):
        folders.append(Path(found).resolve().parent)
    folders += [path.parent for path in sorted(BESIDE.rglob("bin/postgres"))]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise AssertionError(MISSING)


@contextmanager
def database_server() -> Iterator[str]:
    """The address of a fresh server's database, to which more can be added: `postgresql:///postgres?host=...&user=...`."""
    where = programs()
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    data = folder / "data"
    try:
        as_user = _unprivileged(folder)
        _done([*as_user, str(where / "initdb"), "--pgdata", str(data), "--username", "tester", *_INITDB])
        (data / "pg_hba.conf").write_text(f"local all {LOCKED} scram-sha-256\nlocal all all trust\n")
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [*as_user, str(where / "postgres"), "-D", str(data), "-k", str(folder), *options]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _wait_for(data / "postmaster.pid", server, folder / "log")
            yield f"postgresql:///postgres?host={folder}&user=tester"
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_INITDB = ("--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C")


def _unprivileged(folder: Path) -> list[str]:
    """What runs a command as somebody who is not root and owns the folder, and ends it with us, where the system can."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", "QUIT"] if setpriv else []
    assert setpriv, "a PostgreSQL server does not run as root, and there is no setpriv: install util-linux"
    for name in USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        who = ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
        return [setpriv, *who, "--pdeathsig", "QUIT"]
    raise AssertionError(f"a PostgreSQL server does not run as root: make one of the users {' and '.join(USERS)}")


def _done(command: list[str]) -> None:
    """Runs a command to its end; what it says is in the error if it fails."""
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def _wait_for(pid_file: Path, server: subprocess.Popen[bytes], log: Path) -> None:
    """The server writes into its file when it takes connections."""
    while "ready" not in (pid_file.read_text().splitlines() or [""])[-1] if pid_file.exists() else True:
        assert server.poll() is None, f"the server did not start: {log.read_text()}"
        time.sleep(0.02)
