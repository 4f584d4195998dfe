"""The Go programs, each built once and kept by its version and its sources."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster import folders
from tests.cluster.progress import run_step

_MODULES = Path(__file__).parent / "binaries"
_VERSION = "k8s.io/component-base/version"


@dataclass(frozen=True)
class Program:
    name: str
    version: str
    lasts: str
    """How long building takes on two cores, for users who wait."""
    package: str = "."
    ldflags: str = "-s -w"
    links: tuple[str, ...] = ()
    """Other names that the program is called by."""

    @property
    def folder(self) -> Path:
        return folders.cache() / "programs" / f"{self.name}-{self.version}-{self._fingerprint()}"

    @property
    def path(self) -> Path:
        return self.folder / self.name

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(repr((self.package, self.ldflags, self.links)).encode())
        for source in sorted((_MODULES / self.name).glob("*")):
            digest.update(source.read_bytes())
        return digest.hexdigest()[:10]


KUBE = Program(
    "kube",
    "1.34.2",
    "8 minutes",
    ldflags=f"-s -w -X {_VERSION}.gitVersion=v1.34.2 -X {_VERSION}.gitMajor=1 -X {_VERSION}.gitMinor=34",
    links=("kubectl",),
)
COREDNS = Program("coredns", "1.12.4", "80 seconds")
PAUSE = Program("pause", "1", "5 seconds")
HELM = Program("helm", "3.19.2", "2 minutes", package="helm.sh/helm/v3/cmd/helm")


def go_is_there() -> bool:
    return shutil.which("go") is not None


def ensure(program: Program) -> Path:
    """Return the built program; build it if it is not kept from before."""
    if program.path.exists():
        return program.path
    program.folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        folders.alone_with(f"programs/{program.folder.name}"),
        TemporaryDirectory(dir=program.folder.parent) as scratch,
    ):
        if not program.path.exists():
            _build(program, Path(scratch) / "built")
    return program.path


def put_on_path(*programs: Program) -> None:
    """For this process and its children; what users have installed themselves comes first."""
    for program in programs:
        os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{ensure(program).parent}"


def _build(program: Program, target: Path) -> None:
    line = f"Building {program.name} {program.version} (once; {program.lasts} on two cores)"
    log = folders.cache() / "logs" / f"build-{program.name}.log"
    run_step(line, _command(program, target), log, _environment(program, target))
    for link in program.links:
        (target / link).symlink_to(program.name)
    # All or nothing: a build that was cut off is never taken for a program.
    target.rename(program.folder)


def _command(program: Program, target: Path) -> list[str | Path]:
    flags = ["-trimpath", f"-ldflags={program.ldflags}"]
    if program.package == ".":
        module = _MODULES / program.name
        return ["nice", "go", "build", "-C", module, *flags, "-o", target / program.name, "."]
    return ["nice", "go", "install", *flags, f"{program.package}@v{program.version}"]


def _environment(program: Program, target: Path) -> Mapping[str, str]:
    target.mkdir()
    static = {"CGO_ENABLED": "0"} if program is PAUSE else {}
    return {**os.environ, "GOBIN": str(target), **static}
