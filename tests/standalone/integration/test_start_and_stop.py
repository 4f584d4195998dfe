"""`modelport up` from its first start to its last: what it prints works, and nothing is lost or left."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from modelport_standalone.data_dir import claim

from tests.support.platform_process import PlatformProcess, is_running

NewPlatform = Callable[..., PlatformProcess]


def curl_line(platform: PlatformProcess) -> str:
    return next(line for line in platform.output.splitlines() if line.startswith("curl "))


def run_pasted(line: str) -> str:
    return subprocess.run(
        ["bash", "-c", f"{line} --silent"], capture_output=True, text=True, timeout=60
    ).stdout


def move_the_admin(platform: PlatformProcess, email: str) -> None:
    password = platform.admin_login()["password"]
    with platform.session(platform.admin_token()) as admin:
        change = {"email": email, "current_password": password}
        admin.patch("/api/v1/auth/me", json=change).raise_for_status()


def test_the_printed_curl_predicts_before_and_after_a_crash(new_platform: NewPlatform) -> None:
    first = new_platform().start("--demo", "--port", "0")
    line = curl_line(first)
    assert '"prediction":"setosa"' in run_pasted(line)
    assert first.output.count("(shown this once)") == 1
    move_the_admin(first, "boss@example.com")
    children = first.runtimes()
    first.process.kill()
    first.process.communicate()

    second = new_platform().start("--demo", "--port", "0")
    again = curl_line(second)
    assert again.replace(second.url, "") == line.replace(first.url, "")
    assert '"prediction":"setosa"' in run_pasted(again)
    assert "(shown this once)" not in second.output
    assert "  Admin          boss@example.com\n" in second.output
    assert not any(map(is_running, children))
    started = second.runtimes()
    assert started
    assert second.stop(signal.SIGTERM) == 0
    assert not any(map(is_running, started))


def test_the_admin_can_log_in_with_the_password_that_was_kept(platform: PlatformProcess) -> None:
    with platform.session(platform.admin_token()) as admin:
        assert admin.get("/api/v1/auth/me").json()["email"] == "admin@localhost"


def test_secrets_are_readable_by_their_owner_only(platform: PlatformProcess) -> None:
    assert platform.data.stat().st_mode & 0o777 == 0o700
    for name in ("admin.json", "keys.json", "modelport.db", "cluster/cluster.db"):
        assert (platform.data / name).stat().st_mode & 0o777 == 0o600
    databases = [path for path in platform.data.rglob("*") if ".db" in path.name]
    assert [path for path in databases if path.stat().st_mode & 0o077] == []


def test_a_database_of_an_earlier_release_is_closed_to_others(tmp_path: Path) -> None:
    names = ("modelport.db", "modelport.db-wal", "cluster/cluster.db")
    (tmp_path / "cluster").mkdir()
    for name in names:
        (tmp_path / name).touch(0o644)
    with claim(tmp_path):
        assert [(tmp_path / name).stat().st_mode & 0o777 for name in names] == [0o600] * 3
