"""Builds images with buildah and without a registry of images; each result once, as an archive to load."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import folders, packages
from tests.cluster.commands import CommandFailed, run, succeeds
from tests.cluster.progress import run_step, say

_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_MOST_IMAGES = 400
_STEP = re.compile(r"^--> ([0-9a-f]{11,})$", re.MULTILINE)
"""How buildah prints what a step has made or found made, by the beginning of its id."""
_PASSED_ON = ("PIP_INDEX_URL", "PIP_CERT")
"""Settings of the host's pip that a build may read as arguments. Nothing of them stays in the image."""


def build(dockerfile: Path, context: Path, tag: str, build_args: Mapping[str, str] | None = None) -> Path:
    """Return the image's archive, as of `docker save`."""
    packages.install(packages.IMAGES)
    arguments = {**_pip_settings(), **(build_args or {})}
    command = [*_buildah(), "bud", *flags(arguments), "--tag", tag, "--file", dockerfile, context]
    run_step(f"Building the image {tag}", command, _log(tag))
    return archive(tag)


def exists(tag: str) -> bool:
    return bool(run(*_buildah(), "images", "--quiet", "--filter", f"reference={tag}").strip())


def forget(tag: str) -> None:
    """Remove an image and its archive, with the steps that no other image has."""
    log = _log(tag)
    if not log.exists():
        return
    steps = _steps(log)
    log.unlink()
    own = [step for step in steps if step not in _used_by_last_builds()]
    # Last first: one that another was made from stays.
    for image in (tag, *reversed(own)):
        succeeds(*_buildah(), "rmi", image, timeout=120)
    for each in _archives(tag):
        each.unlink()


def prune() -> None:
    """Remove what no tag's last build has used, once that is much.

    buildah keeps an image for each step of each build, and goes through all of them at each step: with 1,300
    a build that changes nothing took half as long again, and 10 GB were kept for nothing.
    """
    kept = _used_by_last_builds()
    images = run(*_buildah(), "images", "--all", "--no-trunc", "--format", "{{.ID}} {{.Name}}").splitlines()
    unnamed = [line.split()[0].removeprefix("sha256:") for line in images if line.endswith("<none>")]
    unused = [image for image in unnamed if not image.startswith(kept)]
    # No step known: buildah prints them in another way now, and everything would go.
    if len(images) < _MOST_IMAGES or not kept or not unused:
        return
    say(f"Removing {len(unused)} images of earlier builds")
    try:
        run(*_buildah(), "rmi", *unused, timeout=600)
    except CommandFailed as error:
        # Another run may be building from one of them. What could be removed is gone.
        say(f"    not all: {error}"[:500])


def _used_by_last_builds() -> tuple[str, ...]:
    logs = (folders.cache() / "logs").glob("image-*.log")
    return tuple(step for log in logs for step in _steps(log))


def _steps(log: Path) -> list[str]:
    return _STEP.findall(log.read_text(errors="replace"))


def _log(tag: str) -> Path:
    return folders.cache() / "logs" / f"image-{_slug(tag)}.log"


def flags(arguments: Mapping[str, str]) -> list[str]:
    # The host's network and certificate authorities are how a RUN step reaches a package index.
    flags = ["--layers", "--force-rm", "--pull-never", "--network=host"]
    authorities = arguments.get("PIP_CERT", _AUTHORITIES)
    if Path(authorities).is_file():
        flags.append(f"--volume={authorities}:{authorities}:ro")
    return flags + [f"--build-arg={name}={value}" for name, value in arguments.items()]


def _pip_settings() -> Mapping[str, str]:
    found = {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}
    if "PIP_INDEX_URL" not in found and (index := _index_of_pip()):
        found["PIP_INDEX_URL"] = index
    return found


def _index_of_pip() -> str:
    # `get` fails where the setting is not made.
    lines = run("python3", "-m", "pip", "config", "list").splitlines()
    values = dict(line.split("=", maxsplit=1) for line in lines if "=" in line)
    return values.get("global.index-url", "").strip("'\"")


def archive(tag: str) -> Path:
    """Of an image that was built. Named by what is in it: nothing is written or loaded twice."""
    image = run(*_buildah(), "images", "--quiet", "--no-trunc", tag).strip().removeprefix("sha256:")
    target = _folder() / f"{_slug(tag)}-{image[:12]}.tar"
    if not target.exists():
        _folder().mkdir(parents=True, exist_ok=True)
        for older in _archives(tag):
            older.unlink()
        scratch = target.with_suffix(".part")
        scratch.unlink(missing_ok=True)
        run(*_buildah(), "push", "--quiet", tag, f"docker-archive:{scratch}:{tag}", timeout=600)
        scratch.rename(target)
    return target


def _archives(tag: str) -> list[Path]:
    return list(_folder().glob(f"{_slug(tag)}-{'?' * 12}.tar"))


def _folder() -> Path:
    return folders.cache() / "images"


def _buildah() -> list[str | Path]:
    # A store of its own: what users build with buildah is theirs.
    store = folders.cache() / "buildah"
    return ["buildah", "--root", store / "root", "--runroot", store / "run"]


def _slug(tag: str) -> str:
    return re.sub(r"[^a-zA-Z0-9.-]", "_", tag.removeprefix("localhost/"))
