"""One signed GET of an S3 object, with the standard library alone: a client library would be larger than all
else that the init container needs. AWS Signature Version 4; without credentials the request goes unsigned."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlsplit

_EMPTY_BODY = hashlib.sha256(b"").hexdigest()
_ALGORITHM = "AWS4-HMAC-SHA256"


class BadAddress(ValueError):
    """The environment or the URI names no place where an object could be."""


@dataclass(frozen=True)
class Request:
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Credentials:
    """As the AWS tools read them from the environment."""

    key_id: str
    secret: str
    region: str
    session_token: str = ""


def build_request(uri: str, environment: Mapping[str, str], now: datetime | None = None) -> Request:
    """`s3://bucket/key`, at AWS or at `AWS_ENDPOINT_URL`. Raises `BadAddress`."""
    parts = urlsplit(uri)
    # The URI's own percent signs are the key's: it is a name, not an encoded path.
    bucket, key = parts.netloc, uri.split("/", 3)[3]
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    url = f"{_origin(bucket, region, environment)}/{quote(key, safe='/~-._')}"
    credentials = _credentials(environment, region)
    if credentials is None:
        return Request(url, {})
    return Request(url, sign(url, {}, credentials, now or datetime.now(UTC)))


def sign(url: str, headers: Mapping[str, str], credentials: Credentials, now: datetime) -> dict[str, str]:
    """Return all headers that the GET must have, the signature with them."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    signed = {
        **{name.lower(): value for name, value in headers.items()},
        "host": urlsplit(url).netloc,
        "x-amz-content-sha256": _EMPTY_BODY,
        "x-amz-date": stamp,
        **({"x-amz-security-token": credentials.session_token} if credentials.session_token else {}),
    }
    names = ";".join(sorted(signed))
    scope = f"{stamp[:8]}/{credentials.region}/s3/aws4_request"
    request_digest = hashlib.sha256(_canonical(url, signed).encode()).hexdigest()
    signature = _signature(credentials, stamp[:8], f"{_ALGORITHM}\n{stamp}\n{scope}\n{request_digest}")
    proof = f"Credential={credentials.key_id}/{scope},SignedHeaders={names},Signature={signature}"
    return {**signed, "authorization": f"{_ALGORITHM} {proof}"}


def _origin(bucket: str, region: str, environment: Mapping[str, str]) -> str:
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    if not endpoint:
        return f"https://{bucket}.s3.{region}.amazonaws.com"
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise BadAddress("AWS_ENDPOINT_URL must begin with http:// or https://.")
    # A bucket's name in the path: servers at one's own seldom have a domain for each bucket.
    return f"{endpoint.rstrip('/')}/{bucket}"


def _credentials(environment: Mapping[str, str], region: str) -> Credentials | None:
    key_id, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not key_id or not secret:
        return None
    return Credentials(key_id, secret, region, environment.get("AWS_SESSION_TOKEN", ""))


def _canonical(url: str, headers: Mapping[str, str]) -> str:
    path = quote(unquote(urlsplit(url).path), safe="/~-._") or "/"
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    return f"GET\n{path}\n\n{lines}\n{';'.join(sorted(headers))}\n{_EMPTY_BODY}"


def _signature(credentials: Credentials, day: str, text: str) -> str:
    key = f"AWS4{credentials.secret}".encode()
    for part in (day, credentials.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
