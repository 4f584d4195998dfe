"""`python -m modelport_operator`: the operator on Kubernetes. Settings: docs/settings.md."""

import asyncio
import sys

from modelport_process import logging
from pydantic import ValidationError

from modelport_operator.settings import Settings


def main() -> int:
    try:
        settings = Settings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        print(f"The operator's settings are wrong: {_listed(error)}", file=sys.stderr)
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


def _listed(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())


if __name__ == "__main__":
    sys.exit(main())
