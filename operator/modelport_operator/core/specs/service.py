"""The Service of one version: it makes the EndpointSlices that the gateway watches."""

from modelport_crds.mlmodel import MLModel, ModelVersion

from modelport_operator.core import naming
from modelport_operator.core.naming import Object
from modelport_operator.core.specs.deployment import PORT


def build_service(model: MLModel, version: ModelVersion) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": naming.metadata(model, version.name),
        "spec": {
            # Headless: the gateway chooses the pod itself, by requests in flight.
            "clusterIP": "None",
            "selector": naming.selector(model, version.name),
            "ports": [{"name": "http", "port": PORT, "targetPort": "http"}],
        },
    }
