"""`python -m modelport_gateway`: serve predictions until SIGTERM."""

import asyncio
import sys

import uvloop
from modelport_kube.connect import NoClusterAccess
from modelport_process import logging
from modelport_process.start import CannotStart, bind, raise_limit

from modelport_gateway import serve


def main() -> int:
    """Return the exit code: 0 after a signal, 1 where it cannot start."""
    try:
        settings = serve.read()
        logging.configure("gateway", settings.edge.log_level)
        raise_limit()
        listener = bind("MODELPORT_GATEWAY_LISTEN", settings.process.listen)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve.serve(settings, listener))
    except (CannotStart, NoClusterAccess) as error:
        print(f"The gateway cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
