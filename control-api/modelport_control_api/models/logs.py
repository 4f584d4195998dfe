"""What a version's pods printed, put together and bounded."""

from modelport_crds import names
from modelport_kube.kube import KubeError

from modelport_control_api.publisher.cluster import Cluster
from modelport_control_api.registry.errors import ClusterAway, LogsElsewhere

MAX_LINES = 5000
_MAX_CHARACTERS = 1 << 20


async def read_logs(
    cluster: Cluster,
    namespace: str,
    model_id: str,
    version: str,
    *,
    tail_lines: int,
    kept: str = "",
    batch: bool = False,
) -> str:
    """Return the last lines of each pod, under its name where there are several; at most 1 MiB in all.

    `kept`: what the operator kept of a failed version, which has no pods; given where no pod has a log.
    `batch`: of the pods that do batch jobs.
    Raises LogsElsewhere for a model of another namespace than `namespace`, ClusterAway.
    """
    elsewhere, _, name = model_id.rpartition(".")
    which = names.LABEL_BATCH_VERSION if batch else names.LABEL_MODEL_VERSION
    labels = {names.LABEL_MODEL: name, which: version}
    if elsewhere:
        raise LogsElsewhere(elsewhere, _selector(labels))
    try:
        texts = await _read_each(cluster, namespace, labels, tail_lines)
    except KubeError as error:
        raise ClusterAway("The cluster, which has the logs, does not answer. Try again shortly.") from error
    if not any(texts.values()):
        return "\n".join(kept.splitlines()[-tail_lines:])
    return "\n".join(_titled(texts))[-_MAX_CHARACTERS:]


async def _read_each(
    cluster: Cluster, namespace: str, labels: dict[str, str], tail_lines: int
) -> dict[str, str]:
    pods = sorted(str(pod["metadata"]["name"]) for pod in await cluster.list("Pod", namespace, labels))
    return {pod: await cluster.pod_logs(namespace, pod, tail_lines=tail_lines) for pod in pods}


def _titled(texts: dict[str, str]) -> list[str]:
    if len(texts) > 1:
        return [f"==> {pod} <==\n{text}" for pod, text in texts.items()]
    return list(texts.values())


def _selector(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())
