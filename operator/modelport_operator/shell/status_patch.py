"""The one write of status in a pass."""

from modelport_crds.mlmodel import MLModel, MLModelStatus, status_to_object
from modelport_crds.names import KIND
from modelport_kube.kube import Kube

from modelport_operator.shell.metrics import WRITES


async def patch_status(kube: Kube, model: MLModel, status: MLModelStatus) -> None:
    """Write only what differs: every write wakes all who watch, this operator too."""
    if status == model.status:
        return
    metadata = model.metadata
    await kube.patch_status(KIND, metadata.namespace, metadata.name, status_to_object(status))
    WRITES.labels("status").inc()
