"""Fixtures are in `tests/support/*_fixtures.py`, one file a kind of server or object."""

import os
from pathlib import Path

# Before anything imports these libraries, as in a runtime. ONNX Runtime would send telemetry, and leave files
# in /tmp. The others would start a thread for each core in each worker: threads that wait for each other on a
# busy machine make training a small model ten times as long.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
for _library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

pytest_plugins = [
    "tests.support.kinds",
    "tests.support.processor_time",
    *(
        f"tests.support.{file.stem}"
        for file in sorted((Path(__file__).parent / "support").glob("*_fixtures.py"))
    ),
]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes never name a test: gzip writes the time into them, so two workers would collect other names."""
    return argname if isinstance(val, bytes) else None
