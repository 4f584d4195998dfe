"""Who may reach a model: the gateway and the operator. What a model may reach: nothing."""

from modelport_crds import names
from modelport_crds.mlmodel import MLModel, ModelVersion

from modelport_operator.core import naming
from modelport_operator.core.naming import Object
from modelport_operator.core.specs.deployment import PORT

_CALLERS = ("gateway", "operator")


def build_network_policy(model: MLModel, version: ModelVersion) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": naming.metadata(model, version.name),
        "spec": {
            "podSelector": {"matchLabels": naming.selector(model, version.name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [_component(name) for name in _CALLERS],
                    "ports": [{"port": PORT, "protocol": "TCP"}],
                }
            ],
            "egress": [],
        },
    }


def _component(name: str) -> Object:
    """The platform runs in a namespace of its own, whose name the chart chooses: any namespace, these labels."""
    return {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {names.LABEL_COMPONENT: name, names.LABEL_MANAGED_BY: "modelport"}},
    }
