"""What the start prints can be typed as it stands."""

from pathlib import Path

import pytest
from modelport_standalone.accounts import Admin
from modelport_standalone.console import format_banner
from modelport_standalone.data_dir import DataDir


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current one, with an environment in it that is not on the PATH."""
    binary = tmp_path / ".venv" / "bin" / "modelport"
    binary.parent.mkdir(parents=True)
    binary.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(binary), "up"])
    monkeypatch.setenv("PATH", "/nowhere")
    return tmp_path


def banner(admin: Admin, url: str) -> str:
    return format_banner(
        url, admin, DataDir(Path("/data")), None, seconds=1.23, log="/data/logs/platform.log"
    )


def next_line(url: str = "http://127.0.0.1:8000") -> str:
    text = banner(Admin("admin@localhost", "secret", is_new=False), url)
    assert f"Modelport is up at {url}  (1.2 s;" in text
    assert "Log            /data/logs/platform.log" in text
    assert "secret" not in text
    return text.splitlines()[-1].strip()


def test_a_command_in_this_folder_is_named_by_its_relative_path(folder: Path) -> None:
    assert next_line() == '.venv/bin/modelport upload my.joblib --name "My model"'


@pytest.mark.parametrize(
    ("admin", "shown"),
    [
        (
            Admin("admin@localhost", "secret", is_new=True),
            "admin@localhost, password secret (shown this once), kept in /data/admin.json",
        ),
        (Admin("admin@localhost", "secret", is_new=False), "admin@localhost, password in /data/admin.json"),
        # The administrator has taken an address of their own, or the database had one already.
        (Admin("ann@example.com", None, is_new=False), "ann@example.com"),
    ],
)
def test_the_administrators_password_is_shown_once(folder: Path, admin: Admin, shown: str) -> None:
    assert f"  Admin          {shown}\n" in banner(admin, "http://127.0.0.1:8000")


def test_another_address_is_passed_to_the_command(folder: Path) -> None:
    assert next_line("http://127.0.0.1:9000").startswith("MODELPORT_URL=http://127.0.0.1:9000 .venv/bin/")
