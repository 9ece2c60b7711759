"""Three servers of the app on one folder, behind a real nginx with the settings of deploy/."""

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket
from time import monotonic, sleep
from urllib.parse import urlsplit

PROJECT = Path(__file__).parents[1]
CONFIG = PROJECT / "deploy" / "nginx.conf"
ADDRESSES = ("10.83.18.11:8501", "10.83.18.12:8501", "10.83.18.13:8501")
BASE = "vit"
COOKIE = "vit_explainer_replica"
PATIENCE = 120  # seconds, on a machine that is busy with other things


def nginx() -> str | None:
    """Return where nginx is on this machine; None where there is none."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def rendered(listen: int, ports: list[int], folder: Path) -> str:
    """Return the shipped settings, with other addresses and paths and nothing else."""
    text = CONFIG.read_text(encoding="utf-8")
    changes = [
        ("listen 8080;", f"listen 127.0.0.1:{listen};"),
        ("/tmp/", f"{folder}/"),
        ("/dev/stdout", f"{folder}/access.log"),
        ("/dev/stderr", f"{folder}/error.log"),
    ]
    changes += [
        (address, f"127.0.0.1:{port}") for address, port in zip(ADDRESSES, ports, strict=True)
    ]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens to."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def start_nginx(settings: str, folder: Path) -> subprocess.Popen:
    """Start nginx with settings that have all its files in a folder."""
    path = folder / "nginx.conf"
    path.write_text(settings, encoding="utf-8")
    directives = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
    program = nginx()
    assert program
    return subprocess.Popen(
        [program, "-p", str(folder), "-c", str(path), "-g", directives],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_proxy(
    proxy: subprocess.Popen, url: str, folder: Path, trusted: ssl.SSLContext | None = None
) -> None:
    """Return when the app answers through a proxy.

    Args:
        trusted: whose certificate is believed, for https.
    """
    end = monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2, context=trusted)
            return
        except OSError as error:
            log = folder / "error.log"
            assert proxy.poll() is None, log.read_text() if log.exists() else error
            assert monotonic() < end, error
            sleep(0.05)


def make_certificate(folder: Path) -> Path:
    """Make a certificate for this machine that nobody has signed, with its key in the same file."""
    path = folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(path), "-out", str(folder / "public.pem")]
    subprocess.run(command, check=True, capture_output=True)
    with path.open("a", encoding="utf-8") as both:
        both.write((folder / "public.pem").read_text(encoding="utf-8"))
    return path


@contextmanager
def encrypted(app: str, certificate: Path, folder: Path) -> Iterator[str]:
    """Serve a running app over https with the settings of deploy/; the value is its address.

    Args:
        app: address of the app, without a base path.
        certificate: from ``make_certificate``.
        folder: for the proxy's files.
    """
    (listen,), port = free_ports(1), urlsplit(app).port
    assert port
    plain = f"listen 127.0.0.1:{listen};"
    files = f"ssl_certificate {certificate}; ssl_certificate_key {certificate};"
    settings = rendered(listen, [port] * 3, folder)
    assert plain in settings
    proxy = start_nginx(settings.replace(plain, f"{plain[:-1]} ssl; {files}"), folder)
    try:
        url = f"https://localhost:{listen}"
        wait_for_proxy(proxy, url, folder, ssl.create_default_context(cafile=certificate))
        yield url
    finally:
        proxy.terminate()
        proxy.wait(timeout=PATIENCE)


class Replicas:
    """Three servers, numbered from 1 as in the cookie, and the proxy before them.

    Attributes:
        url: of the app, through the proxy.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listen, *self.ports = free_ports(4)
        self.url = f"http://localhost:{listen}/{BASE}"
        self._listen = listen
        self._servers: dict[int, subprocess.Popen] = {}
        self._proxy: subprocess.Popen | None = None

    def start(self, *numbers: int) -> None:
        """Start servers together, and return when all answer."""
        for number in numbers:
            command = [sys.executable, "-m", "streamlit", "run", "explainer/Home.py"]
            command += ["--server.port", str(self.ports[number - 1]), "--server.headless", "true"]
            command += ["--server.baseUrlPath", BASE, "--server.address", "127.0.0.1"]
            with (self.folder / f"server-{number}.txt").open("a") as output:
                self._servers[number] = subprocess.Popen(
                    command,
                    cwd=PROJECT,
                    env=os.environ | {"VIT_EXPLAINER_RUNS": str(self.folder / "runs")},
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
        for number in numbers:
            self._wait(number)

    def _wait(self, number: int) -> None:
        end = monotonic() + PATIENCE
        log = self.folder / f"server-{number}.txt"
        while monotonic() < end:
            assert self._servers[number].poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{self.address(number)}/_stcore/health", timeout=2)
                return
            except OSError:
                sleep(0.05)
        raise AssertionError(f"no server after {PATIENCE} s:\n{log.read_text()}")

    def start_proxy(self) -> None:
        settings = rendered(self._listen, self.ports, self.folder)
        self._proxy = start_nginx(settings, self.folder)
        wait_for_proxy(self._proxy, self.url, self.folder)

    def address(self, number: int) -> str:
        """Return the address of one server, past the proxy."""
        return f"http://127.0.0.1:{self.ports[number - 1]}/{BASE}"

    def kill(self, number: int) -> None:
        """End a server as a machine does that loses its power."""
        self._servers[number].kill()
        self._servers[number].wait(timeout=PATIENCE)

    def restart(self, number: int) -> None:
        """End a server as an update does, and start it again."""
        self._servers[number].send_signal(signal.SIGTERM)
        self._servers[number].wait(timeout=PATIENCE)
        self.start(number)

    def revive(self) -> None:
        """Start again those that were killed."""
        self.start(*(n for n, server in self._servers.items() if server.poll() is not None))

    def close(self) -> None:
        processes = [*self._servers.values(), *([self._proxy] if self._proxy else [])]
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=PATIENCE)

    def log(self) -> str:
        """Return what the proxy has written of requests."""
        return (self.folder / "access.log").read_text(encoding="utf-8")

    def complaints(self) -> list[str]:
        """Return the lines of the servers that tell of an error nobody foresaw."""
        text = "".join(path.read_text() for path in self.folder.glob("server-*.txt"))
        return re.findall(r".*(?:Traceback|Uncaught).*", text)


@contextmanager
def three_replicas(folder: Path) -> Iterator[Replicas]:
    """Serve the app from three processes and one address."""
    replicas = Replicas(folder)
    try:
        replicas.start(1, 2, 3)
        replicas.start_proxy()
        yield replicas
    finally:
        replicas.close()
