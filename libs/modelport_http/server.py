"""uvicorn's server as a part of a process, not as its owner."""

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from modelport_http.connections.timeouts import Silence

# Of uvicorn's ticks, which are a tenth of a second.
_TICKS_A_SWEEP = 20


class SweepingServer(uvicorn.Server):
    """Closes connections that make no progress. `silence`: where untrusted clients connect."""

    def __init__(self, config: uvicorn.Config, silence: Silence | None = None) -> None:
        super().__init__(config)
        self._silence = silence

    async def on_tick(self, counter: int) -> bool:
        if self._silence is not None and counter % _TICKS_A_SWEEP == 0:
            self._silence.sweep(self.server_state.connections)
        return await super().on_tick(counter)


class Server(SweepingServer):
    """Leaves signals to its caller: they stop more than one server, and not at once."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
