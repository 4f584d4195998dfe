"""Environments of third-party clients, from the pinned lists of bench/peers, made once in a cache folder.

Their requirements do not fit ours, nor each other's: kserve and mlserver cannot even be imported together.
"""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

_PINNED = Path(__file__).parents[2] / "bench" / "peers"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "modelport" / "clients"


def python_with(name: str) -> Path:
    """Return the interpreter of an environment with what bench/peers/<name>.txt lists."""
    pinned = _PINNED / f"{name}.txt"
    folder = _CACHE / f"{name}-{sha256(pinned.read_bytes()).hexdigest()[:10]}"
    if not (folder / "complete").exists():
        # Made aside and renamed: two test runs may want it at once.
        aside = folder.with_name(f"{folder.name}.{os.getpid()}")
        _make(aside, pinned)
        try:
            aside.rename(folder)
        except OSError:
            shutil.rmtree(aside)
    return folder / "bin" / "python"


def _make(folder: Path, pinned: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([uv, "venv", "-q", "--relocatable", "--python", sys.executable, str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([uv, "pip", "install", "-q", "--python", python, "-r", str(pinned)], check=True)
    (folder / "complete").touch()
