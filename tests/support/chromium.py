"""Debian's Chromium, installed when it is missing and can be had."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_MISSING = "Chromium is not installed: `apt-get install chromium` makes the tests of the web UI run."


def find() -> str:
    """Its path. Skips the test where there is none; in CI, where nobody would notice that, it fails."""
    path = shutil.which("chromium") or _install()
    if path:
        return path
    if os.environ.get("CI"):
        pytest.fail(_MISSING)
    pytest.skip(_MISSING)


def _install() -> str | None:
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        return None
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", "--quiet", *words], env=env, check=False, capture_output=True)
    return shutil.which("chromium")
