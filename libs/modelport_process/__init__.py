"""How a process of the platform starts, logs and works in the background."""

VERSION = "0.1.0"
"""Of the platform. `make version` sets it here and in each distribution."""
