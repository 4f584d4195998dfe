"""The stand-in for python:3.13-slim, out of Debian's packages; kept once made."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster import folders, image_build, packages
from tests.cluster.commands import run
from tests.cluster.progress import run_step

TAG = "localhost/modelport-base:trixie"
_DOCKERFILE = Path(__file__).parent / "images" / "base" / "Dockerfile"
_INCLUDED = "python3,python3-venv,ca-certificates"
_SUPERFLUOUS = (
    "var/cache/apt/archives",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
)


def ensure() -> str:
    """Return its tag, for a Dockerfile's FROM."""
    packages.install(packages.IMAGES)
    if not image_build.exists(TAG):
        image_build.build(_DOCKERFILE, _root_archive().parent, TAG)
    return TAG


def build_args() -> Mapping[str, str]:
    """For the project's own Dockerfiles, which build on any base with Python."""
    return {"BASE_IMAGE": ensure()}


def _root_archive() -> Path:
    target = folders.cache() / "base-trixie" / "root.tar"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent) as scratch:
        root = Path(scratch) / "root"
        _bootstrap(root)
        run(
            "tar",
            "--create",
            "--numeric-owner",
            "--one-file-system",
            "--file",
            f"{scratch}/root.tar",
            "-C",
            root,
            ".",
        )
        Path(scratch, "root.tar").rename(target)
    return target


def _bootstrap(root: Path) -> None:
    log = folders.cache() / "logs" / "debootstrap.log"
    command = ["debootstrap", "--variant=minbase", f"--include={_INCLUDED}", "trixie", str(root)]
    run_step("Making a base image from Debian's packages (once; about 90 seconds)", command, log)
    for folder in _SUPERFLUOUS:
        shutil.rmtree(root / folder)
    # apt refuses to work without them.
    (root / "var/cache/apt/archives/partial").mkdir(parents=True)
    (root / "var/lib/apt/lists/partial").mkdir(parents=True)
    # As python:3.13-slim has it.
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
