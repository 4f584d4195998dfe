"""What the models' processes count, for the platform's own /metrics.

They are untrusted: of what they send only the runtime's own metrics are taken, with the type that those have,
and we label who it is about. One that sends nonsense is left out, and cannot spoil the page for others.
"""

import asyncio
from collections.abc import Iterable, Iterator

import httpx
import structlog
from modelport_crds.names import LABEL_BATCH_VERSION, LABEL_MODEL, LABEL_MODEL_VERSION
from modelport_kube.kube import Kube, Object
from modelport_runtime.metrics import REGISTRY
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

log = structlog.get_logger(__name__)

_PREFIX = "modelport_runtime_"
_PAGE_BYTES = 256 << 10
_SECONDS = 1.0


async def collect(cluster: Kube) -> bytes:
    """Prometheus text with the metrics of every ready pod, labeled with its model, version and pod."""
    pods = [pod for pod in await cluster.list("Pod", None) if _is_ready(pod)]
    pages = await asyncio.gather(*map(_fetch, pods))
    # Parsing is work for the CPU, and the event loop serves predictions.
    return await asyncio.to_thread(_merge, list(zip(pods, pages, strict=True)))


def _is_ready(pod: Object) -> bool:
    status = pod.get("status", {})
    ready = {"type": "Ready", "status": "True"} in status.get("conditions", ())
    return ready and str(status.get("podIP", "")).startswith("unix:")


async def _fetch(pod: Object) -> str:
    # A socket has no TLS; to read the trusted certificates would take 20 ms each time.
    transport = httpx.AsyncHTTPTransport(uds=pod["status"]["podIP"].removeprefix("unix:"), verify=False)
    try:
        async with (
            asyncio.timeout(_SECONDS),
            httpx.AsyncClient(transport=transport, base_url="http://pod") as client,
            client.stream("GET", "/metrics", headers={"Accept-Encoding": "identity"}) as response,
        ):
            return await _read(response)
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        log.warning("model_metrics_unavailable", pod=pod["metadata"]["name"], error=repr(error))
        return ""


async def _read(response: httpx.Response) -> str:
    received = bytearray()
    # Raw: whatever encoding it claims is not undone.
    async for chunk in response.aiter_raw():
        received += chunk
        if len(received) > _PAGE_BYTES:
            raise httpx.DecodingError(f"more than {_PAGE_BYTES} bytes")
    return received.decode(errors="replace")


def _merge(pages: Iterable[tuple[Object, str]]) -> bytes:
    families = {
        metric.name: Metric(metric.name, metric.documentation, metric.type)
        for metric in REGISTRY.collect()
        if metric.name.startswith(_PREFIX)
    }
    for pod, page in pages:
        _add(families, pod, page)
    registry = CollectorRegistry()
    registry.register(_Families(families.values()))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from (family for family in self._families if family.samples)


def _add(families: dict[str, Metric], pod: Object, page: str) -> None:
    labels = pod["metadata"]["labels"]
    who = {
        "model": labels[LABEL_MODEL],
        "version": labels.get(LABEL_MODEL_VERSION) or labels[LABEL_BATCH_VERSION],
        "pod": pod["metadata"]["name"],
    }
    try:
        found = list(text_string_to_metric_families(page))
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        log.warning("model_metrics_invalid", **who, error=repr(error))
        return
    for metric in found:
        known = families.get(metric.name)
        if known is not None and known.type == metric.type:
            known.samples += _of_pod(metric, who)


def _of_pod(metric: Metric, who: dict[str, str]) -> list[Sample]:
    """Without doubles and names that need quoting: one makes the whole page invalid."""
    samples: dict[tuple[object, ...], Sample] = {}
    for sample in metric.samples:
        labels = {**sample.labels, **who}
        if all(name.isidentifier() and name.isascii() for name in labels):
            samples[sample.name, *sorted(labels.items())] = Sample(sample.name, labels, sample.value)
    return list(samples.values())
