"""The child: the worker of the control API, which ends with its platform, however that ended.

Run as `python -m modelport_standalone.batch_worker PARENT_PID`.
"""

import sys

from modelport_runtime import lifeline


def main(parent: int) -> int:
    # Before the imports: they take a second, in which the platform may die.
    lifeline.hold(parent)
    lifeline.poll(parent)
    from modelport_control_api.__main__ import main as control_api

    return control_api(["worker"])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
