"""The client that the platform was shipped with, as the wheel that pip installs from it.

An image has it as a file, built beside the code. Elsewhere it is made of the client that is installed here:
so a checkout serves what it has now, and nobody builds anything.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

PACKAGED = Path(__file__).parents[1] / "sdk"
CLIENT = "modelport"
REQUIRES_PYTHON = ">=3.11"
_TAG = "py3-none-any"
_SHIPPED = frozenset({".py", ".typed"})
# The same files make the same bytes, on every replica.
_MADE_AT = (2020, 2, 2, 0, 0, 0)
_READABLE = 0o644 << 16


@dataclass(frozen=True, slots=True)
class Wheel:
    """`name` is that of the file, by which pip knows what it is."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()


@cache
def wheel_name() -> str | None:
    """Return the wheel's file name; None where the platform was installed without its client.

    Looked up once: a process serves one release, and pages that name it are rendered on the event loop.
    """
    packaged = next(iter(sorted(PACKAGED.glob(f"{CLIENT}-*-{_TAG}.whl"))), None)
    if packaged is not None:
        return packaged.name
    installed = _installed()
    return None if installed is None else f"{CLIENT}-{installed.version}-{_TAG}.whl"


def wheel_path() -> str | None:
    """Return where the platform serves it."""
    name = wheel_name()
    return None if name is None else f"/sdk/{name}"


def load() -> Wheel | None:
    """Return the wheel; None where there is none. The first call blocks for some 50 ms."""
    name = wheel_name()
    if name is None:
        return None
    packaged = PACKAGED / name
    return Wheel(name, packaged.read_bytes() if packaged.exists() else _content())


def _installed() -> Distribution | None:
    """None also for one whose metadata does not say what it needs: pip would install half of it."""
    try:
        found = distribution(CLIENT)
    except PackageNotFoundError:
        return None
    return found if found.requires else None


@cache
def _content() -> bytes:
    buffer = BytesIO()
    record = []
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, content in _members(distribution(CLIENT)):
            _write(archive, name, content)
            record.append(f"{name},sha256={_digest(content)},{len(content)}")
        name = f"{_metadata_folder(distribution(CLIENT))}/RECORD"
        _write(archive, name, "\n".join([*record, f"{name},,", ""]).encode())
    return buffer.getvalue()


def _members(installed: Distribution) -> Iterator[tuple[str, bytes]]:
    package = _package()
    for file in sorted(package.rglob("*")):
        if file.suffix in _SHIPPED:
            yield f"{CLIENT}/{file.relative_to(package).as_posix()}", file.read_bytes()
    folder = _metadata_folder(installed)
    for name in ("METADATA", "entry_points.txt", "licenses/LICENSE"):
        yield f"{folder}/{name}", (installed.read_text(name) or "").encode()
    yield (
        f"{folder}/WHEEL",
        f"Wheel-Version: 1.0\nGenerator: {CLIENT}\nRoot-Is-Purelib: true\nTag: {_TAG}\n".encode(),
    )


def _package() -> Path:
    """Where its code is, also of a checkout; nothing of it is imported."""
    spec = find_spec(CLIENT)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"{CLIENT} is installed, and its package is not there")
    return Path(next(iter(spec.submodule_search_locations)))


def _metadata_folder(installed: Distribution) -> str:
    return f"{CLIENT}-{installed.version}.dist-info"


def _write(archive: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name, _MADE_AT)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = _READABLE
    archive.writestr(entry, content)


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()
