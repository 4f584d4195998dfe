"""Copies the UI's libraries from npm into the package, with their licenses and a manifest: `make ui-vendor`.

npm is needed only to renew them: the files are committed.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_MODULES = _HERE / "node_modules"
TARGET = _HERE.parent / "modelport_control_api" / "ui" / "static" / "vendor"
FILES = {
    "htmx.org": ("dist/htmx.min.js", "LICENSE"),
    "uplot": ("dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE"),
}


def main() -> None:
    """Install the locked packages, replace the vendored files by theirs and write the manifest."""
    subprocess.run(["npm", "ci", "--silent"], cwd=_HERE, check=True)  # noqa: S607 - wherever npm is
    shutil.rmtree(TARGET, ignore_errors=True)
    libraries = [_copy(name, files) for name, files in FILES.items()]
    text = json.dumps({"libraries": libraries}, indent=2)
    (TARGET / "manifest.json").write_text(f"{text}\n", encoding="utf-8")


def _copy(name: str, files: tuple[str, ...]) -> dict[str, Any]:
    package = json.loads((_MODULES / name / "package.json").read_text(encoding="utf-8"))
    folder = TARGET / name
    folder.mkdir(parents=True)
    copied = [Path(shutil.copy(_MODULES / name / file, folder)) for file in files]
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in copied}
    return {
        "name": name,
        "version": package["version"],
        "license": package["license"],
        "source": package["homepage"],
        "sha256": digests,
    }


if __name__ == "__main__":
    main()
