"""The process that does batch jobs, until a signal."""

import asyncio
import resource

import uvloop
from modelport_http.settings import Settings as EdgeSettings
from modelport_process import logging
from modelport_process.start import read_settings


def work() -> str:
    # Here and not above: the other commands need none of it.
    from modelport_control_api.batch_worker import process
    from modelport_control_api.batch_worker.settings import Settings

    settings, edge = read_settings(Settings), read_settings(EdgeSettings)
    logging.configure("worker", edge.log_level)
    if settings.worker_memory_bytes:
        _limit_memory(settings.worker_memory_bytes)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(process.run(settings))
    return "Stopped."


def _limit_memory(count: int) -> None:
    """Of what it writes to, not of the address space: libraries map far more of that than they use."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
