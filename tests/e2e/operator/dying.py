"""The operator with a fault: killed after its n-th write, as by SIGKILL. `DIE_AFTER_WRITES` is n."""

import os
import signal
import sys

from modelport_kube.kube import Object
from modelport_operator.__main__ import main
from modelport_operator.shell.kubernetes import process
from modelport_operator.shell.kubernetes.process import RepairingApi

_left = int(os.environ["DIE_AFTER_WRITES"])


def _count_down() -> None:
    """Before each write: one more is done, or the process is gone."""
    global _left  # noqa: PLW0603 - one process, one countdown
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    _left -= 1


class DyingApi(RepairingApi):
    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        _count_down()
        return await super().apply(obj, field_manager=field_manager)

    async def delete(self, kind: str, namespace: str, name: str, *, uid: str = "") -> None:
        _count_down()
        await super().delete(kind, namespace, name, uid=uid)

    async def patch_status(self, kind: str, namespace: str, name: str, status: Object) -> Object | None:
        _count_down()
        return await super().patch_status(kind, namespace, name, status)


if __name__ == "__main__":
    process.RepairingApi = DyingApi  # type: ignore[misc]  # the fault
    sys.exit(main())
