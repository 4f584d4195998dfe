"""Debian's Chromium, installed when it is missing and can be had."""

import os
import shutil
from pathlib import Path

import pytest

from tests.cluster import packages
from tests.cluster.progress import StepFailed

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
    try:
        packages.install({"chromium": "chromium"})
    except StepFailed:
        return None
    return shutil.which("chromium")
