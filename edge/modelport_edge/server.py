"""uvicorn's server as a part of a process, not as its owner."""

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


class Server(uvicorn.Server):
    """Leaves signals to whoever runs it: they stop more than one server, and not at once."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
