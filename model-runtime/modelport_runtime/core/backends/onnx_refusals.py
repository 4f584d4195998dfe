"""What ONNX Runtime says when it takes no session of a file → the reason, and what its owner can do."""

import re

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument, InvalidGraph, InvalidProtobuf

from modelport_runtime.core.types import LoadError, without_paths

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
    """Give the `LoadError` of what creating a session raised."""
    said = str(error)
    for pattern, words in _FORMS:
        if found := re.search(pattern, said):
            named = next((group for group in found.groups() if group), "")
            return LoadError("UnsupportedFormat", words.format(named))
    said = without_paths(_STATUS.sub("", _PLACE_IN_ITS_SOURCE.sub("", said)))
    is_damaged = isinstance(error, InvalidProtobuf | InvalidGraph | InvalidArgument | ValueError)
    reason = "CorruptArtifact" if is_damaged else "UnsupportedFormat"
    return LoadError(reason, f"ONNX Runtime cannot read the file: {said}")
