"""Sends the core's probes to the runtimes, all at once, and reads what failed pods printed."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from modelport_crds.mlmodel import SampleAnswer
from modelport_crds.reasons import Reason
from modelport_kube.kube import Kube, KubeError

from modelport_operator.core.observed.last_log import TAIL_LINES
from modelport_operator.core.observed.probe_results import (
    BaselineResult,
    ProbeResult,
    RuntimeStatus,
    SampleRefused,
)
from modelport_operator.core.probes import (
    Baseline,
    ProbeRequest,
    StatusProbe,
    encoded,
    sample_body,
    slowest,
)
from modelport_operator.shell.runtimes import Runtimes

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


# A version that was never called must not be routed to.
_NO_SAMPLE = SampleRefused(
    Reason.SAMPLE_INVALID, "The version came without a sample, and its runtime could not make one."
)


async def probe_all(runtimes: Runtimes, probe_requests: Sequence[ProbeRequest]) -> dict[str, ProbeResult]:
    """Return each version's result, by its name."""
    results = await asyncio.gather(*(_probe(runtimes, request) for request in probe_requests))
    return {request.version.name: result for request, result in zip(probe_requests, results, strict=True)}


async def check_all(runtimes: Runtimes, status_probes: Sequence[StatusProbe]) -> Mapping[str, RuntimeStatus]:
    """Return the slowest runtime's status of each version, by its name; nothing where none was reached."""
    found = await asyncio.gather(*(_check(runtimes, probe) for probe in status_probes))
    reported = zip(status_probes, found, strict=True)
    return {probe.version: status for probe, status in reported if status is not None}


async def _check(runtimes: Runtimes, probe: StatusProbe) -> RuntimeStatus | None:
    return slowest(await asyncio.gather(*map(runtimes.status, probe.addresses)))


async def _probe(runtimes: Runtimes, request: ProbeRequest) -> ProbeResult:
    status = await runtimes.status(request.address)
    if status is None or status.state != "ready":
        return ProbeResult(status=status)
    sample = await _sample_result(runtimes, request, status) if request.sample else None
    has_failed = request.sample and not isinstance(sample, SampleAnswer)
    if request.baseline is None or has_failed:
        return ProbeResult(status=status, sample=sample)
    compared = await _baseline_result(runtimes, request.address, request.baseline)
    if compared is None:
        # Both again: a version that has answered without having been compared would get requests.
        return ProbeResult(status=status)
    return ProbeResult(status, sample, compared)


async def _sample_result(
    runtimes: Runtimes, request: ProbeRequest, status: RuntimeStatus
) -> SampleAnswer | SampleRefused | None:
    body = sample_body(request.version, status)
    return _NO_SAMPLE if body is None else await runtimes.predict(request.address, body)


async def _baseline_result(runtimes: Runtimes, address: str, baseline: Baseline) -> BaselineResult | None:
    """Of the sample of its upload, or else the one that its runtime made; None: probe both again."""
    sample = baseline.sample
    if sample is None and baseline.address is not None:
        status = await runtimes.status(baseline.address)
        if baseline.is_ready and (status is None or status.state != "ready"):
            return None
        sample = status.sample if status is not None else None
    body = encoded(sample)
    if body is None:
        return BaselineResult(baseline.version, None)
    answer = await runtimes.predict(address, body)
    return BaselineResult(baseline.version, answer) if answer is not None else None
