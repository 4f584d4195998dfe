"""Reads what pods printed. It is for people: never a reason for a pass to fail or to wait for long."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from modelport_kube.kube import Kube, KubeError

from modelport_operator.core.last_log import TAIL_LINES

_log = structlog.get_logger()

# A node that is away would hold the pass, and with it the version's status, for the client's half minute.
_SECONDS = 5.0


async def read_logs(
    kube: Kube, namespace: str, pods_by_version: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """The end of each pod's log, in the order given; empty for one that cannot be read."""
    return {
        version: await asyncio.gather(*(_read(kube, namespace, pod) for pod in pods))
        for version, pods in pods_by_version.items()
    }


async def _read(kube: Kube, namespace: str, pod: str) -> str:
    try:
        async with asyncio.timeout(_SECONDS):
            return await kube.pod_logs(namespace, pod, tail_lines=TAIL_LINES)
    except (KubeError, OSError) as error:
        _log.warning("log_unreadable", namespace=namespace, pod=pod, error=repr(error))
        return ""
