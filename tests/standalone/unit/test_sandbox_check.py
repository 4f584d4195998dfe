"""What `modelport up` says of this machine's isolation is what a process finds that enters the sandbox."""

import sys
from pathlib import Path

import pytest
from modelport_standalone import sandbox_check


async def test_the_level_is_the_one_that_a_child_reached(tmp_path: Path) -> None:
    level, detail = await sandbox_check.check(tmp_path)

    assert level in (0, 1, 2)
    assert "the check" not in detail, detail


async def test_a_check_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = tmp_path / "failing-python"
    failing.write_text("#!/bin/sh\necho 'ImportError: no role' >&2\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(failing))

    assert await sandbox_check.check(tmp_path) == (0, "the check failed with ImportError: no role")
