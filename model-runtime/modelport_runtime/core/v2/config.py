"""A model's configuration as Triton words it: what the metadata says, for clients that read it there."""

from typing import Any


def config_of(metadata: dict[str, Any]) -> dict[str, Any]:
    """`max_batch_size` 0: the first size of `dims` counts rows, as in the metadata."""
    return {
        "name": metadata["name"],
        "platform": metadata["platform"],
        "max_batch_size": 0,
        "input": [_tensor(each) for each in metadata["inputs"]],
        "output": [_tensor(each) for each in metadata["outputs"]],
    }


def _tensor(described: dict[str, Any]) -> dict[str, Any]:
    datatype = described["datatype"]
    data_type = "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"
    return {"name": described["name"], "data_type": data_type, "dims": described["shape"]}
