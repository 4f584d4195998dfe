"""ONNX graphs on onnxruntime."""
