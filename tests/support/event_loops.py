"""Both event loops that servers here run on: what is close to the transport behaves differently on them."""

import asyncio
from collections.abc import Callable

import uvloop

BOTH: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
