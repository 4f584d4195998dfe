"""What a version's pods printed, put together and bounded."""

from modelport_crds import names

from modelport_control_api.publisher.cluster import Cluster

MAX_LINES = 5000
_MAX_CHARACTERS = 1 << 20


async def read_logs(cluster: Cluster, namespace: str, model_id: str, version: str, *, tail_lines: int) -> str:
    """Give the last lines of each pod, under its name where there are several; at most 1 MiB in all."""
    labels = {names.LABEL_MODEL: model_id, names.LABEL_MODEL_VERSION: version}
    pods = sorted(str(pod["metadata"]["name"]) for pod in await cluster.list("Pod", namespace, labels))
    texts = [await cluster.pod_logs(namespace, pod, tail_lines=tail_lines) for pod in pods]
    if len(pods) > 1:
        texts = [f"==> {pod} <==\n{text}" for pod, text in zip(pods, texts, strict=True)]
    return "\n".join(texts)[-_MAX_CHARACTERS:]
