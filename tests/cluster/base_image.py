"""The stand-ins for python:3.13-slim and python:3.11-slim, out of Debian's packages; kept once made."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster import folders, image_build, packages
from tests.cluster.commands import run
from tests.cluster.progress import run_step

_RELEASES = {"3.13": "trixie", "3.11": "bookworm"}
"""Python → the release of Debian whose own it is."""
_DOCKERFILE = Path(__file__).parent / "images" / "base" / "Dockerfile"
_INCLUDED = "python3,python3-venv,ca-certificates"
_SUPERFLUOUS = (
    "var/cache/apt/archives",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
)


def _tag(release: str) -> str:
    return f"localhost/modelport-base:{release}"


TAG = _tag("trixie")


def ensure(python: str = "3.13") -> str:
    """Return its tag, for a Dockerfile's FROM."""
    release = _RELEASES[python]
    tag = _tag(release)
    packages.install(packages.IMAGES)
    if not image_build.exists(tag):
        image_build.build(_DOCKERFILE, _root_archive(release).parent, tag)
    return tag


def build_args(python: str = "3.13") -> Mapping[str, str]:
    """For the project's own Dockerfiles, which build on any base with Python, or with a certain one."""
    return {"BASE_IMAGE": ensure(python)}


def _root_archive(release: str) -> Path:
    target = folders.cache() / f"base-{release}" / "root.tar"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent) as scratch:
        root = Path(scratch) / "root"
        _bootstrap(release, root)
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


def _bootstrap(release: str, root: Path) -> None:
    log = folders.cache() / "logs" / "debootstrap.log"
    command = ["debootstrap", "--variant=minbase", f"--include={_INCLUDED}", release, str(root)]
    run_step(f"Making a base image of Debian's {release} (once; about 90 seconds)", command, log)
    for folder in _SUPERFLUOUS:
        shutil.rmtree(root / folder)
    # apt refuses to work without them.
    (root / "var/cache/apt/archives/partial").mkdir(parents=True)
    (root / "var/lib/apt/lists/partial").mkdir(parents=True)
    # As python's own images have it.
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
