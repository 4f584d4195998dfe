"""The Open Inference Protocol (v2): tensors in, tensors out, in JSON or binary, and model metadata."""

from modelport_runtime.core.v2.protocol import Echo, Protocol, read_response

__all__ = ["Echo", "Protocol", "read_response"]
