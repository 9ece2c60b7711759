"""A real PostgreSQL for tests and benchmarks: in a folder of its own, gone at the end."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USERS = ("postgres", "nobody")  # PostgreSQL refuses to run as root
# a server for tests may forget everything when the machine fails
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def programs() -> Path | None:
    """Return the folder with PostgreSQL's programs; None where it is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def postgresql(*settings: str) -> Iterator[str]:
    """Start a server on a free port of this machine; the value is its URL for SQLAlchemy."""
    bin_folder = programs()
    assert bin_folder, "PostgreSQL is not installed"
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    before = ()
    if os.geteuid() == 0:
        user = next(name for name in USERS if name in {one.pw_name for one in pwd.getpwall()})
        shutil.chown(folder, user)
        before = ("runuser", "-u", user, "--")
    data, log = folder / "data", folder / "log.txt"

    def do(program: str, *arguments: str) -> None:
        command = [*before, str(bin_folder / program), *arguments]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120
        )
        told = log.read_text(errors="replace") if log.exists() else ""
        assert done.returncode == 0, f"{done.stdout}{done.stderr}{told}"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}"]
    options += ["max_connections=100", *settings]
    try:
        do("initdb", "-D", str(data), "-U", "class", "-A", "trust", "-E", "UTF8", "--no-sync")
        told = " ".join(f"-c {option}" for option in options)
        do("pg_ctl", "-D", str(data), "-l", str(log), "-o", told, "-w", "start")
        try:
            yield f"postgresql+psycopg://class@127.0.0.1:{port}/postgres"
        finally:
            do("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
