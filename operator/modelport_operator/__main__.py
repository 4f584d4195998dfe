"""`python -m modelport_operator`: the operator on Kubernetes. Settings: docs/settings.md."""

import asyncio
import sys

from modelport_process import logging
from modelport_process.settings import read_settings
from modelport_process.start import CannotStart

from modelport_operator.settings import Settings


def main() -> int:
    """Run until a signal. Return the exit code: 1 where it cannot start, or cannot go on."""
    try:
        settings = read_settings(Settings)
    except CannotStart as error:
        print(f"The operator cannot start: {error}", file=sys.stderr)
        return 1
    logging.configure("operator", settings.log_level)
    # Here and not above: a wrong setting is reported at once, and kopf is slow to import.
    from modelport_kube.connect import NoClusterAccess

    from modelport_operator.shell.kubernetes import process
    from modelport_operator.shell.kubernetes.http import CannotListen

    try:
        return asyncio.run(process.run(settings))
    except (NoClusterAccess, CannotListen) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
