"""The distribution's packages that the recipe needs, installed when missing."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import folders
from tests.cluster.progress import run_step

NODE: Mapping[str, str] = {
    "containerd": "containerd",
    "runc": "runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "iptables-save",
    "conntrack": "conntrack",
    "ipset": "ipset",
    "ethtool": "ethtool",
    "socat": "socat",
    "iproute2": "ip",
}
"""Package → a program that tells whether it is there."""

IMAGES: Mapping[str, str] = {
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    # debootstrap checks signatures with them; not on a machine that is not Debian.
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
}

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def install(packages: Mapping[str, str]) -> None:
    """Raises StepFailed. Waits while other tests install theirs: apt-get itself would fail then."""
    if _missing(packages):
        with folders.alone_with("apt-get"):
            _install(_missing(packages))


def _missing(packages: Mapping[str, str]) -> list[str]:
    return [package for package, program in packages.items() if not _there(program)]


def _install(missing: list[str]) -> None:
    if not missing:
        return
    log = folders.cache() / "logs" / "apt-get.log"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run_step("Reading the package lists with apt-get (10 s)", ["apt-get", "update"], log, env)
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    run_step(f"Installing {' '.join(missing)} (half a minute)", command, log, env)


def _there(program: str) -> bool:
    if program.startswith("/"):
        return Path(program).exists()
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_SBIN}") is not None
