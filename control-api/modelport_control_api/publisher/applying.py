"""Makes an MLModel in the cluster as the API wants it, whoever has written to it before."""

from modelport_crds import names
from modelport_crds.mlmodel import from_object
from modelport_kube.kube import Object, Rejected

from modelport_control_api.publisher.cluster import Cluster
from modelport_control_api.publisher.sync import differences, undo


async def make_so(cluster: Cluster, manifest: Object) -> None:
    """Apply it; where others have written, also take back what an apply leaves to them."""
    try:
        there = await cluster.apply(manifest, field_manager=names.FIELD_MANAGER_CONTROL_API)
    except Rejected as error:
        # Perhaps only together with what kubectl added: weights that now sum to more than 100.
        if not await _take_back(cluster, manifest):
            raise error from None
        return
    if differences(from_object(manifest).spec, from_object(there).spec):
        await _take_back(cluster, manifest, there)


async def _take_back(cluster: Cluster, manifest: Object, there: Object | None = None) -> bool:
    """False: there is no such MLModel."""
    metadata = manifest["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    there = there or await cluster.get(names.KIND, namespace, name)
    if there is None:
        return False
    patch = {"metadata": {"labels": metadata["labels"]}, **undo(manifest, there)}
    manager = names.FIELD_MANAGER_CONTROL_API
    return await cluster.merge(names.KIND, namespace, name, patch, field_manager=manager) is not None
