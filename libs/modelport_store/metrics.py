"""What happens when the shared store is away. On the default registry, which gateway and control API both
expose.
"""

from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Metric
from prometheus_client.registry import Collector

STORE_FALLBACKS = Counter(
    "modelport_store_fallbacks_total",
    "Store calls served by this process's memory because Redis did not respond.",
    ["operation"],
)
STORE_DEGRADED = Gauge("modelport_store_degraded", "1 while Redis is away and memory stands in for it.")
STORE_LOST_VALUES = Counter(
    "modelport_store_lost_values_total",
    "Values that Redis did not take, or large ones that it did not give in time, and that were done without.",
    ["operation"],
)
LIMITS_NOT_ENFORCED = Counter(
    "modelport_limits_not_enforced_total",
    "Requests let through uncounted because no store responded.",
    ["limit"],
)


class FormerNames(Collector):
    """The same metrics under their former names, for alerts that were written then; kept for one release."""

    def collect(self) -> Iterator[Metric]:
        for metric in (STORE_FALLBACKS, STORE_DEGRADED, STORE_LOST_VALUES, LIMITS_NOT_ENFORCED):
            for family in metric.collect():
                yield _renamed(family)


def _renamed(family: Metric) -> Metric:
    former = Metric(_former(family.name), f"Now {family.name}. {family.documentation}", family.type)
    former.samples = [sample._replace(name=_former(sample.name)) for sample in family.samples]
    return former


def _former(name: str) -> str:
    return name.replace("modelport_", "modelport_edge_", 1)


REGISTRY.register(FormerNames())
