"""The Service of one version. Headless: the gateway chooses among pods itself, by their EndpointSlices."""

from modelport_crds.mlmodel import MLModel, ModelVersion
from modelport_kube.kube import Object

from modelport_operator.core.naming import object_metadata, version_selector
from modelport_operator.core.specs.deployment import PORT


def build_service(model: MLModel, version: ModelVersion) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": object_metadata(model, version.name),
        "spec": {
            "clusterIP": "None",
            "selector": version_selector(model, version.name),
            "ports": [{"name": "http", "port": PORT, "protocol": "TCP", "targetPort": PORT}],
        },
    }
