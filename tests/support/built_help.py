"""The documentation's site, built as `make help-site` does."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build_help(folder: Path) -> Path:
    """A link or anchor that leads nowhere, or a page without a place in the navigation, fails the build."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    assert built.returncode == 0, built.stderr
    return folder
