"""One PEM file a key: `<creation time>-<random>.pem`. The time is in the name, as mounts change mtimes.

The folder may be a mounted Secret: its files are links, readable by the process's group (0440).
"""

import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.utils import base64url_encode

_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"^(\d{8}T\d{6}Z)-[0-9a-f]{8}\.pem$")
_READABLE_BY_OTHERS = 0o007


class SigningKeysError(Exception):
    """The folder cannot be used; the message says what to do."""


@dataclass(frozen=True)
class SigningKey:
    kid: str
    created_at: datetime
    private: Ed25519PrivateKey
    path: Path

    def public_jwk(self) -> dict[str, str]:
        """Return the public key as a JWK (RFC 8037)."""
        x = base64url_encode(_public_bytes(self.private)).decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "use": "sig", "alg": "EdDSA"}


def create(folder: Path, created_at: datetime) -> SigningKey:
    """Write a new key that only its owner can read. The folder is made if it is missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{created_at.strftime(_TIME_FORMAT)}-{secrets.token_hex(4)}.pem"
    private = Ed25519PrivateKey.generate()
    partial = path.with_suffix(".partial")
    # Renamed when whole: a reader lists the folder at any moment.
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(_to_pem(private))
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    return read(path)


def list_files(folder: Path) -> list[Path]:
    """Return all key files, oldest first. Raises `SigningKeysError`."""
    try:
        return sorted(path for path in folder.iterdir() if _NAME.match(path.name))
    except OSError as error:
        raise SigningKeysError(
            f"The signing keys folder {folder} cannot be read: {error.strerror}."
        ) from error


def fingerprint(path: Path) -> tuple[Path, int, int]:
    """Return what changes with the file: a mounted Secret gets other files behind the same names.

    Raises `SigningKeysError`.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise SigningKeysError(f"{path} cannot be read: {error.strerror}.") from error
    return path, found.st_ino, found.st_mtime_ns


def read(path: Path) -> SigningKey:
    """Raises `SigningKeysError` naming the file."""
    named = _NAME.match(path.name)
    if not named:
        raise SigningKeysError(f"{path} is not named like a signing key (<time>-<8 hex digits>.pem).")
    private = _read_private(path)
    created_at = datetime.strptime(named[1], _TIME_FORMAT).replace(tzinfo=UTC)
    return SigningKey(_thumbprint(private), created_at, private, path)


def _read_private(path: Path) -> Ed25519PrivateKey:
    try:
        if path.stat().st_mode & _READABLE_BY_OTHERS:
            raise SigningKeysError(f"{path} is open to every user of this machine: chmod 600 it and rotate.")
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise SigningKeysError(f"{path} holds no readable private key: remove it or restore it.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeysError(f"{path} is no Ed25519 key: make one with `signing_keys rotate`.")
    return private


def _to_pem(private: Ed25519PrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_bytes(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _thumbprint(private: Ed25519PrivateKey) -> str:
    """RFC 7638 and 8037: the kid follows from the key alone, so every replica gives it the same one."""
    x = base64url_encode(_public_bytes(private)).decode()
    return base64url_encode(sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest()).decode()
