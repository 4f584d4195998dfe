"""A session of a file: by a locale that is there, and if ONNX Runtime takes none, the reason for its
owner.
"""

import re
from collections.abc import Callable

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument, InvalidGraph, InvalidProtobuf

from modelport_runtime.core.backends.onnx.file import pieces
from modelport_runtime.core.types import LoadError, without_paths

_GRAPH, _NODE, _OP_TYPE, _ATTRIBUTE = 7, 1, 4, 5
_NAME, _STRING, _TYPE, _TYPE_STRING = 1, 4, 20, 3
_DELIMITED = 2
_MORE = 0x80


def with_installed_locale(model: bytes) -> bytes:
    """Return the file with C.UTF-8 in each StringNormalizer of an English locale, or of none."""
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


_PLACE_IN_ITS_SOURCE = re.compile(r"/onnxruntime_src/\S+ .*\) ")
_STATUS = re.compile(r"^\[ONNXRuntimeError\] : [0-9]+ : [A-Z_]+ : ")
_HERE = f"ONNX Runtime {onnxruntime.__version__}"
_FORMS = (
    (
        r"External data",
        "Weights of the model are in other files beside it (ONNX external data). Save it as one file: "
        "onnx.save_model(onnx.load(path), path, save_as_external_data=False).",
    ),
    (
        r"Fatal error: :?([\w.:]+)\(.*\) is not a registered|No Op registered for (\w+)|"
        r"Could not find an implementation for (\w+\([0-9]+\))",
        f"{_HERE}, as it is here, has no operator {{}}. Custom operators need a library that is not in the "
        "file: export the model with ONNX's own, of an opset that it has.",
    ),
    (
        r"(Unsupported model IR version: [0-9]+)|(Opset [0-9]+) is under development",
        f"The file is of a newer ONNX than {_HERE} reads ({{}}). Export it with an older opset_version.",
    ),
    (
        r"Failed to construct locale with name:([\w.-]+?)(?=:)",
        "A StringNormalizer of the graph needs the locale {}, which is not on this machine. Who runs it can "
        "install it; or export the model without case_change_action and send texts in lower case.",
    ),
    (
        r"tensor\((\w+)\) is not currently registered",
        f"{_HERE} does not compute with the type {{}}. Export the model with another.",
    ),
)


def refusal(error: Exception) -> LoadError:
    """Return the `LoadError` of what creating a session raised."""
    message = str(error)
    for pattern, words in _FORMS:
        if found := re.search(pattern, message):
            named = next((group for group in found.groups() if group), "")
            return LoadError("UnsupportedFormat", words.format(named))
    message = without_paths(_STATUS.sub("", _PLACE_IN_ITS_SOURCE.sub("", message)))
    is_damaged = isinstance(error, InvalidProtobuf | InvalidGraph | InvalidArgument | ValueError)
    reason = "CorruptArtifact" if is_damaged else "UnsupportedFormat"
    return LoadError(reason, f"ONNX Runtime cannot read the file: {message}")
