"""The control API's process, until a signal."""

import asyncio

import uvloop
from modelport_kube.connect import NoClusterAccess
from modelport_process import logging
from modelport_process.start import CannotStart, raise_limit

from modelport_control_api.process import serve as serving


def serve() -> str:
    settings = serving.read()
    logging.configure("control-api", settings.edge.log_level)
    raise_limit()
    listeners = serving.listen(settings.process)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serving.run(settings, listeners))
    except NoClusterAccess as error:
        raise CannotStart(str(error)) from error
    return "Stopped."
