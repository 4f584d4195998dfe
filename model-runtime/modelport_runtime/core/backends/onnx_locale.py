"""Graphs that fold case by a locale that is not installed, by C.UTF-8: it folds all letters as English does.

Converters of text vectorizers write no locale, which ONNX Runtime takes for en_US.UTF-8. Slim images lack it.
"""

from collections.abc import Callable

from modelport_runtime.core.backends.onnx.file import pieces

_GRAPH, _NODE, _OP_TYPE, _ATTRIBUTE = 7, 1, 4, 5
_NAME, _STRING, _TYPE, _TYPE_STRING = 1, 4, 20, 3
_DELIMITED = 2
_MORE = 0x80


def with_installed_locale(model: bytes) -> bytes:
    """Give the file with C.UTF-8 in each StringNormalizer of an English locale, or of none."""
    return _changed(model, _GRAPH, lambda graph: _changed(graph, _NODE, _node))


def _changed(message: bytes, wanted: int, change: Callable[[bytes], bytes]) -> bytes:
    return b"".join(
        _field(number, change(value)) if number == wanted and isinstance(value, bytes) else message[start:end]
        for number, value, start, end in pieces(message)
    )


def _node(node: bytes) -> bytes:
    if _text(node, _OP_TYPE) != b"StringNormalizer":
        return node
    parts = [(number, value, node[start:end]) for number, value, start, end in pieces(node)]
    locales = [_locale(value) for number, value, _ in parts if number == _ATTRIBUTE]
    if any(locale and not locale.startswith(b"en") for locale in locales):
        return node
    kept = [raw for number, value, raw in parts if number != _ATTRIBUTE or _locale(value) is None]
    return b"".join([*kept, _field(_ATTRIBUTE, _INSTALLED)])


def _locale(attribute: bytes | int) -> bytes | None:
    if isinstance(attribute, int) or _text(attribute, _NAME) != b"locale":
        return None
    return _text(attribute, _STRING)


def _text(message: bytes, wanted: int) -> bytes:
    found = (value for number, value, _, _ in pieces(message) if number == wanted)
    return next((value for value in found if isinstance(value, bytes)), b"")


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _DELIMITED) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value >= _MORE:
        written.append(value & 0x7F | _MORE)
        value >>= 7
    return bytes([*written, value])


_INSTALLED = (
    _field(_NAME, b"locale") + _field(_STRING, b"C.UTF-8") + _varint(_TYPE << 3) + _varint(_TYPE_STRING)
)
