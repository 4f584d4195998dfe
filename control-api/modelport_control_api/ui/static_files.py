"""Style sheets, scripts and icons: compressed once, and named by their content so that browsers keep them."""

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request
from modelport_http.problem import Problem
from starlette.responses import Response

ROOT = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_NAMES = frozenset(
    file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*") if file.suffix in _TYPES and file.is_file()
)
_FOR_EVER = "public, max-age=31536000, immutable"

router = APIRouter(prefix="/ui/static", include_in_schema=False)


def _digest_all() -> str:
    digest = hashlib.sha256()
    for name in sorted(_NAMES):
        digest.update(name.encode())
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()[:12]


# One for all: a script imports its neighbors by relative paths, which so have the same one.
VERSION = _digest_all()


def url_of(name: str) -> str:
    """Raises `KeyError` for a file that is not there: a template must not name one."""
    if name not in _NAMES:
        raise KeyError(name)
    return f"/ui/static/{VERSION}/{name}"


@router.get("/{version}/{name:path}")
async def read_static(version: str, name: str, request: Request) -> Response:
    """Return one of the UI's own files, compressed where the browser takes it. Raises `Problem` 404."""
    if name not in _NAMES:
        raise Problem(status=404, detail="There is no such file.")
    file = ROOT / name
    plain, compressed = _load(file, file.stat().st_mtime_ns)
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    # While a new release is rolled out, pages of one replica request from another files that it has
    # otherwise.
    headers = {"Cache-Control": _FOR_EVER if version == VERSION else "no-cache", "Vary": "Accept-Encoding"}
    if takes_gzip:
        headers["Content-Encoding"] = "gzip"
    return Response(compressed if takes_gzip else plain, headers=headers, media_type=_TYPES[file.suffix])


@lru_cache(maxsize=256)
def _load(file: Path, _modified_ns: int) -> tuple[bytes, bytes]:
    plain = file.read_bytes()
    return plain, gzip.compress(plain, 9, mtime=0)
