"""The child: the worker of the control API, which ends with its platform, however that ended.

Run as `python -m modelport_standalone.batch_worker PARENT_PID`.
"""

import asyncio
import os
import sys

from modelport_runtime.process.environment import die_with_parent, watch_parent

from modelport_standalone.priority import step_back

# Behind the platform, before the models that do batch jobs: those wait for it.
_NICENESS = 10


def main(parent: int) -> int:
    """Return the worker's exit code. `parent`: the platform's pid; this process ends when that one does."""
    # Before the imports: they take a second, in which the platform may die.
    die_with_parent(parent)
    watch_parent(parent)
    from modelport_control_api.__main__ import main as control_api
    from modelport_control_api.batch_worker import process as _imported  # noqa: F401

    # Not before: behind all others a busy machine would never let it begin.
    asyncio.run(step_back(os.getpid(), _NICENESS))
    return control_api(["worker"])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
