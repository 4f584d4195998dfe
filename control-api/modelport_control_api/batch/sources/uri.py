"""Where an input may be fetched from, and how a request names it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from modelport_control_api.batch.options import format_of_name, is_json
from modelport_control_api.errors import InvalidFields
from modelport_control_api.network.urls import url_problem
from modelport_control_api.uploads.form import ReceivedUpload

FIELD = "input_uri"
PREFIXES_SETTING = "MODELPORT_CONTROL_API_BATCH_INPUT_PREFIXES"
_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?P<key>[^%?#\\]+)")
_BESIDE = ("format",)
# Rows are longer, or have no such name in them.
_MAX_JSON_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Named:
    """An input that is elsewhere. `texts`: what the request names beside its address."""

    uri: str
    texts: Mapping[str, str]


def find_named(upload: ReceivedUpload, content_type: str) -> Named | None:
    """None: the request has the input itself. Raises `InvalidFields`."""
    if is_json(content_type):
        return _named_in_json(upload)
    if FIELD not in upload.texts:
        return None
    if upload.size:
        raise InvalidFields((FIELD, "cannot stand beside a file: give one of them"))
    return Named(
        upload.texts[FIELD].strip(), {name: text for name, text in upload.texts.items() if name != FIELD}
    )


def require_readable(named: Named, prefixes: Sequence[str]) -> None:
    """Raises `InvalidFields` for an address that is not fetched from, or a format that nothing names."""
    problem = _s3_problem(named.uri, prefixes) if named.uri.startswith("s3://") else _web_problem(named.uri)
    if problem:
        raise InvalidFields((FIELD, problem))
    if not named.texts.get("format", "").strip() and format_of_name(file_name(named.uri)) is None:
        raise InvalidFields(("format", f"is missing, and the end of {FIELD} does not tell it"))


def file_name(uri: str) -> str:
    """Return the path of the URI, by whose ending the format is found."""
    return urlsplit(uri).path


def shown(uri: str) -> str:
    """Without its query, which may hold a credential."""
    return uri.partition("?")[0]


def _named_in_json(upload: ReceivedUpload) -> Named | None:
    if upload.size > _MAX_JSON_BYTES:
        return None
    try:
        body = orjson.loads(upload.path.read_bytes())
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict) or FIELD not in body:
        return None
    unknown = body.keys() - {FIELD, *_BESIDE}
    errors = dict.fromkeys(unknown, f"cannot stand beside {FIELD}: options belong into the query")
    errors |= {name: "must be a text" for name in body if not isinstance(body[name], str)}
    if errors:
        raise InvalidFields(*errors.items())
    return Named(body.pop(FIELD).strip(), body)


def _web_problem(uri: str) -> str | None:
    problem = url_problem(uri, schemes=("https",)) if uri else "is empty"
    return f"{problem}; s3://bucket/key can be given too" if problem else None


def _s3_problem(uri: str, prefixes: Sequence[str]) -> str | None:
    match = _S3.fullmatch(uri)
    if match is None or not uri.isascii() or not uri.isprintable():
        return "must be s3://bucket/key, of printable ASCII characters but for % ? # and \\"
    if not {"", ".", ".."}.isdisjoint(match["key"].split("/")):
        return "must have no empty part, and none that is . or .."
    if not prefixes:
        return f"cannot be in a bucket here: the platform's operator has allowed none ({PREFIXES_SETTING})"
    if not any(uri.startswith(prefix.rstrip("/") + "/") for prefix in prefixes):
        return f"must begin with {' or '.join(prefixes)} ({PREFIXES_SETTING} allows nothing else)"
    return None
