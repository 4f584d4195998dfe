"""`modelport up` from its first start to its last: what it prints works, and nothing is lost or left."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.platform_process import PlatformProcess, is_running, launch

NewPlatform = Callable[..., PlatformProcess]


def curl_line(platform: PlatformProcess) -> str:
    return next(line for line in platform.output.splitlines() if line.startswith("curl "))


def run_pasted(line: str) -> str:
    return subprocess.run(
        ["bash", "-c", f"{line} --silent"], capture_output=True, text=True, timeout=60
    ).stdout


def test_the_printed_curl_answers_and_goes_on_answering_after_a_crash(new_platform: NewPlatform) -> None:
    first = new_platform().start("--demo", "--port", "0")
    line = curl_line(first)
    assert '"prediction":"setosa"' in run_pasted(line)
    assert first.output.count("(shown this once)") == 1
    children = first.runtimes()
    first.process.kill()
    first.process.communicate()

    second = new_platform().start("--demo", "--port", "0")
    again = curl_line(second)
    assert again.replace(second.url, "") == line.replace(first.url, "")
    assert '"prediction":"setosa"' in run_pasted(again)
    assert "(shown this once)" not in second.output
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
    for name in ("admin.json", "keys.json"):
        assert (platform.data / name).stat().st_mode & 0o777 == 0o600


def refused(home: Path, data: Path, *arguments: str) -> str:
    """Start, expect the refusal, give its one line."""
    process = launch(home, data, *arguments)
    process.communicate(timeout=60)
    assert process.returncode == 1
    # Logs of the start may come before it.
    return (home / "stderr").read_text().splitlines()[-1]


def test_a_second_platform_on_the_same_folder_is_refused(platform: PlatformProcess, tmp_path: Path) -> None:
    assert "Another platform runs on" in refused(tmp_path, platform.data)


def test_a_port_in_use_is_said(platform: PlatformProcess, tmp_path: Path) -> None:
    port = platform.url.rpartition(":")[2]
    assert f"127.0.0.1:{port} is in use" in refused(tmp_path, tmp_path / "data", "--port", port)


def test_a_missing_tls_file_is_said(tmp_path: Path) -> None:
    line = refused(tmp_path, tmp_path / "data", "--tls-cert", "/no/cert.pem", "--tls-key", "/no/key.pem")
    assert "There is no TLS file /no/cert.pem" in line


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be used" in refused(tmp_path, tmp_path / "file" / "data")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("modelport.db", b"no database" * 1000),
        ("cluster/cluster.db", b"no database" * 1000),
        ("admin.json", b"{"),
        ("signing-keys/20260101T000000Z-0123abcd.pem", b"no key"),
    ],
)
def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / "data" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    file.chmod(0o600)
    assert str(file) in refused(tmp_path, tmp_path / "data")
    assert file.read_bytes() == content
