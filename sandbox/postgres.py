"""A PostgreSQL server of our own, for tests and benchmarks: in a temporary folder, on a socket.

The folder is in memory where it fits: a database is some 300 files, and making those on a disk
takes several times as long as all that most tests do with it.

Uses the programs that the system's package brings (Debian: `postgresql`), for root as the user that
comes with them, since PostgreSQL refuses to be root. It listens on no port, so that two never meet.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sandbox.memory import folder_in_memory

_DEBIAN: Final = Path("/usr/lib/postgresql")
_NEEDED: Final = ("initdb", "postgres", "psql", "pg_isready")
_START_S: Final = 60
_STOP_S: Final = 60
_CONNECTIONS: Final = 200


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest there is; None without any."""
    versions = [path for path in _DEBIAN.glob("*/bin") if path.parent.name.isdigit()]
    folders = sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    found = shutil.which("initdb")
    if found is not None:
        folders.append(Path(found).resolve().parent)
    for folder in folders:
        if all((folder / name).exists() for name in _NEEDED):
            return folder
    return None


class PostgresServer:
    """`with PostgresServer() as server`: a running server; its folder is deleted at the end."""

    def __init__(self, *, durable: bool = False) -> None:
        """`durable` is on the disk and waits for it at every commit, as a real server does.

        Without, a crash of the server loses nothing either; only that of the machine would.
        """
        folder = programs()
        if folder is None:
            raise FileNotFoundError("there is no PostgreSQL on this machine")
        self._programs = folder
        self._durable = durable
        self._user = _ordinary_user()
        # Not below a folder that belongs to root alone: the server could not enter it.
        self._folder = Path(
            tempfile.mkdtemp(prefix="easel-pg-", dir=None if durable else folder_in_memory())
        )
        self._server: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)

    def __enter__(self) -> Self:
        """Make the server's folder and start it."""
        try:
            if self._user is not None:
                shutil.chown(self._folder, self._user, self._user)
            self._call(
                "initdb",
                "-D",
                str(self._data),
                "-U",
                "easel",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            )
            self.start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it and delete its folder."""
        self._clean_up()

    def url(self, name: str) -> str:
        """Return the URL of a database on this server, for `DATABASE_URL`."""
        return f"postgresql:///{name}?host={self._folder}&user=easel"

    def create(self, template: str = "template1") -> str:
        """Make a database like `template`, to which nobody may be connected; returns its name."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, *names: str) -> None:
        """Delete databases, and end whoever is still connected to them."""
        self.run(*(f"DROP DATABASE {name} WITH (FORCE)" for name in names))

    def run(self, *statements: str, database: str = "postgres") -> list[str]:
        """Run statements from outside, as an administrator would; returns the lines they print."""
        words = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self._folder))
        said = (word for sql in statements for word in ("-c", sql))
        answer = self._call("psql", *words, "-U", "easel", "-d", database, *said)
        return answer.splitlines()

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "max_connections": str(_CONNECTIONS),
            "shared_buffers": "64MB",
            "fsync": "on" if self._durable else "off",
            "deadlock_timeout": "200ms",
            "log_destination": "stderr",
            "log_min_messages": "fatal",
        }
        if not self._durable:
            settings |= {"full_page_writes": "off", "max_wal_size": "128MB"}
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                user=self._user,
                group=self._user,
            )
        ready = ("-q", "-t", str(_START_S), "-h", str(self._folder), "-d", "postgres")
        while subprocess.call([self._programs / "pg_isready", *ready]) != 0:
            if self._server.poll() is not None:
                said = (self._folder / "log").read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL did not start:\n{said}")
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(0.05)

    def stop(self, number: int = signal.SIGINT) -> None:
        """End the server: SIGINT ends every connection first, SIGQUIT is like a crash."""
        server, self._server = self._server, None
        if server is None:
            return
        server.send_signal(number)
        try:
            server.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _clean_up(self) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self._folder)

    def _call(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [self._programs / program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=self._folder,
            timeout=_START_S,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            user=self._user,
            group=self._user,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")
        return done.stdout


def _ordinary_user() -> str | None:
    """Return whom the server has to be run as; None: as whoever we are."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    return "postgres"
