"""The init container: bring the model file, and only the right one, to where the runtime reads it.

It starts before every pod, so it imports the standard library alone, and of that little. Exit code 1 tells a
reason that stays, in the last line of stderr; 2 a source or a full disk that may do better later.
"""

import errno
import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from modelport_formats.ensembles import is_ensemble
from modelport_formats.frameworks.folder_files import marked_as
from modelport_formats.own_code import is_archive
from modelport_formats.packed import unpacked
from modelport_http.wording import counted

_BUNDLE = "MODELPORT_FETCH_BUNDLE_"
_BUNDLE_URI = f"{_BUNDLE}URI"
"""Set where the model has packages of its own."""
_PACKAGES = "MODELPORT_RUNTIME_PACKAGES"
"""Set by the image of own requirements: where its runtime looks for them."""
_CHUNK = 1024 * 1024
_HEAD_BYTES = 64
_TIMEOUT_SECONDS = 30
"""Of silence on the network, not of the whole download."""
_READ_ONLY = 0o444
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What writing says of the disk, where a download is read and written in one."""


class FetchFailed(Exception):
    """The file cannot be had, and trying again would not help. `reason`: see docs/reasons.md."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Unreachable(Exception):
    """The source did not respond or broke off, or the disk is full: either may do better later."""


def main() -> int:
    """Return the exit code (docs/contracts.md)."""
    try:
        fetch(*_settings(os.environ))
        if os.environ.get(_BUNDLE_URI):
            fetch_bundle(os.environ)
    except FetchFailed as refused:
        print(json.dumps({"reason": refused.reason, "message": refused.message}), file=sys.stderr)
        return 1
    except Unreachable as error:
        print(json.dumps({"message": f"{error} It is tried again."}), file=sys.stderr)
        return 2
    return 0


def fetch(uri: str, sha256: str, destination: Path) -> None:
    """Put the bytes of `uri` at `destination`, read-only, whole or not at all.

    Raises `FetchFailed` (ArtifactNotFound, DigestMismatch, TooLarge) or `Unreachable`.
    """
    partial = destination.with_name(f"{destination.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        _verify(uri, _bring(uri, partial), sha256)
        partial.chmod(_READ_ONLY)
        _unpack(partial, destination)
        partial.replace(destination)
    except OSError as error:
        raise _no_room_or_later(error) from error
    finally:
        partial.unlink(missing_ok=True)


def fetch_bundle(environment: Mapping[str, str]) -> None:
    """Put the packages of a bundle where the image expects them, read-only, whole or not at all.

    Raises as `fetch` does.
    """
    uri, folder = environment[_BUNDLE_URI], Path(environment[_PACKAGES])
    archive = folder.with_name(f"{folder.name}.partial")
    archive.unlink(missing_ok=True)
    try:
        _verify(uri, _bring(uri, archive), environment[f"{_BUNDLE}SHA256"])
        _require_size(archive, int(environment[f"{_BUNDLE}MAX_BYTES"]))
        _unpack_bundle(archive, folder)
    except OSError as error:
        raise _no_room_or_later(error) from error
    finally:
        archive.unlink(missing_ok=True)


def _require_size(archive: Path, most: int) -> None:
    """Nothing in it is compressed, so that it never takes more than this when it is unpacked."""
    if archive.stat().st_size > most:
        raise FetchFailed(
            "TooLarge",
            f"Its own packages have {counted(archive.stat().st_size, 'byte')}, more than the "
            f"{most} that this platform unpacks.",
        )


def _unpack_bundle(archive: Path, folder: Path) -> None:
    from shutil import rmtree

    from modelport_runtime.bundle import NoBundle, unpack

    # An earlier try may have been ended in the middle.
    rmtree(folder, ignore_errors=True)
    try:
        unpack(archive, folder)
    except NoBundle as error:
        raise FetchFailed("DigestMismatch", str(error)) from error


def _unpack(partial: Path, destination: Path) -> None:
    """Put what a user's own code, an ensemble or a folder consists of beside it, in files of their own.

    Of what is no such archive there are none: the runtime says so when it reads it.
    """
    unpack = _unpacker_of(partial)
    if unpack is None:
        return
    # Here and not above: few files are archives.
    from shutil import rmtree

    from modelport_formats.errors import FormatError

    folder = unpacked(destination)
    rmtree(folder, ignore_errors=True)
    try:
        unpack(partial, folder)
    except FormatError:
        rmtree(folder, ignore_errors=True)


def _unpacker_of(path: Path) -> Callable[[Path, Path], None] | None:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if is_archive(head):
        from modelport_formats.own_code.archive import unpack as of_own_code

        return of_own_code
    if is_ensemble(head):
        from modelport_formats.ensembles.archive import unpack as of_ensemble

        return of_ensemble
    if marked_as(head):
        from modelport_formats.packed.zips import unpack as of_folder

        return of_folder
    return None


def _no_room_or_later(error: OSError) -> Exception:
    """What the error names is left out: users see this, and paths of the platform are none of theirs."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unreachable("The disk has no room for the model file: its owner must free some.")
    if error.errno == errno.EFBIG:
        return FetchFailed("TooLarge", "The model file is larger than any file may be where it is put.")
    return Unreachable(f"The model file cannot be put in place: {error.strerror}.")


def _settings(environment: Mapping[str, str]) -> tuple[str, str, Path]:
    names = ("MODELPORT_FETCH_URI", "MODELPORT_FETCH_SHA256", "MODELPORT_FETCH_TO")
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise FetchFailed(
            "ArtifactNotFound", f"{missing[0]} is not set; the operator sets it in the pod template."
        )
    uri, sha256, destination = (environment[name] for name in names)
    return uri, sha256.removeprefix("sha256:").lower(), Path(destination)


def _bring(uri: str, partial: Path) -> str:
    """Return the digest of what lies at `partial` afterward."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return _bring_file(Path(unquote(parts.path)), partial)
    if parts.scheme in ("http", "https"):
        return _download(uri, uri, {}, partial)
    if parts.scheme == "s3":
        return _bring_object(uri, partial)
    raise FetchFailed(
        "ArtifactNotFound",
        f"{parts.scheme or 'no scheme'}: is no source of model files; use file, https or s3.",
    )


def _bring_object(uri: str, partial: Path) -> str:
    # Here and not above: most files come otherwise, and this would be read before every pod.
    from modelport_runtime.s3 import BadAddress, build_request

    try:
        request = build_request(uri, os.environ)
    except BadAddress as error:
        raise FetchFailed("ArtifactNotFound", str(error)) from error
    return _download(uri, request.url, request.headers, partial)


def _bring_file(source: Path, partial: Path) -> str:
    try:
        if not source.is_file():
            raise FetchFailed(
                "ArtifactNotFound", "The saved model file is not there any more. Upload the model again."
            )
        if _link(source, partial):
            with partial.open("rb") as linked:
                return hashlib.file_digest(linked, "sha256").hexdigest()
        with source.open("rb") as file:
            return _copy(file, partial)
    except PermissionError as error:
        raise FetchFailed(
            "ArtifactNotFound", f"The saved model file may not be read: {error.strerror}."
        ) from error


def _link(source: Path, partial: Path) -> bool:
    """Share the file instead of copying it, if nobody may write it: it could change, and would be locked."""
    if source.stat().st_mode & 0o222:
        return False
    try:
        os.link(source, partial)
    except OSError:
        # Another file system, or one without links: copying does it.
        return False
    return True


def _download(uri: str, url: str, headers: Mapping[str, str], partial: Path) -> str:
    """`uri` is what users know it by, `url` where it lies."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    # `_bring` let only http and https through. Headers that are no redirect's: they may be credentials.
    request = Request(url)  # noqa: S310  # see above
    for name, value in headers.items():
        request.add_unredirected_header(name, value)
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310  # see above
            expected = response.headers.get("content-length")
            digest = _copy(response, partial)
    except HTTPError as error:
        raise _refused_or_later(uri, error.code) from error
    except (OSError, HTTPException) as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise
        raise Unreachable(f"{_shown(uri)} cannot be reached: {error}.") from error
    if expected is not None and partial.stat().st_size != int(expected):
        raise Unreachable(f"{_shown(uri)} broke off before its {counted(int(expected), 'byte')}.")
    return digest


def _refused_or_later(uri: str, status: int) -> Exception:
    if status == 429 or status >= 500:
        return Unreachable(f"{_shown(uri)} answered {status}.")
    return FetchFailed("ArtifactNotFound", f"{_shown(uri)} answered {status}: no file for us lies there.")


def _copy(source: IO[bytes], partial: Path) -> str:
    digest = hashlib.sha256()
    with partial.open("xb") as file:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _verify(uri: str, found: str, expected: str) -> None:
    if found != expected:
        raise FetchFailed(
            "DigestMismatch",
            f"The sha256 of {_shown(uri)} is {_digests_text(uri, found)}, but the version names {expected}. "
            "Create a new version with the digest of the file as it is now.",
        )


def _digests_text(uri: str, found: str) -> str:
    """Volumes and buckets are opened with the platform's rights. The address's author may have none, and with
    the digest they could have a file served that they cannot read."""
    return found if urlsplit(uri).scheme in ("http", "https") else "another one"


def _shown(uri: str) -> str:
    """Leave out a query and a password (a signed address is a credential), and paths of the platform."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return "the saved model file"
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


if __name__ == "__main__":
    sys.exit(main())
