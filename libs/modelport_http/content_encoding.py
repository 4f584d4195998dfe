"""Request bodies that were compressed, inflated up to a bound, whatever they claim. Responses compressed."""

import zlib

from modelport_http.wording import counted

_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_RAW_WINDOW = -15
_MAX_MEMBERS = 16
"""Of one gzip body. Each costs a copy of what is behind it."""


class Undecodable(Exception):
    """`status`: 400 a broken stream, 413 more than may be, 415 another encoding. `detail`: for the caller."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def inflate(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Undo a Content-Encoding. Raises `Undecodable`; never holds more than `max_bytes` and a byte of it."""
    name = encoding.strip().lower()
    if name == "identity":
        return body
    window = _WINDOW.get(name)
    if window is None:
        shown = name[:40].encode("ascii", "replace").decode()
        raise Undecodable(
            415, f"The body's Content-Encoding is {shown!r}: send it as gzip, as deflate or without any."
        )
    if name == "deflate" and not _has_zlib_head(body):
        # Many send what the name says in place of what RFC 9110 means by it.
        window = _RAW_WINDOW
    try:
        return _inflate(body, window, max_bytes)
    except (zlib.error, EOFError) as error:
        raise Undecodable(400, f"The body is not whole as {name}, its Content-Encoding: {error}.") from None


def deflate(body: bytes, encoding: str) -> bytes:
    """Compress as `gzip` or `deflate`, as fast as may be."""
    squeezer = zlib.compressobj(level=1, wbits=_WINDOW[encoding])
    return squeezer.compress(body) + squeezer.flush()


def _has_zlib_head(body: bytes) -> bool:
    return len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _inflate(body: bytes, window: int, max_bytes: int) -> bytes:
    inflated, rest = bytearray(), body
    for _ in range(_MAX_MEMBERS):
        inflater = zlib.decompressobj(window)
        inflated += inflater.decompress(rest, max_bytes - len(inflated) + 1)
        if len(inflated) > max_bytes:
            raise Undecodable(
                413, f"The body inflates to more than {counted(max_bytes, 'byte')}. Send less at once."
            )
        if not inflater.eof:
            raise EOFError("it ends too early")
        rest = inflater.unused_data
        if not rest:
            return bytes(inflated)
        if window != _WINDOW["gzip"]:
            break
    raise EOFError("something stands behind its end")
