"""What the operator may do, as docs/contracts.md has it: the tests run it with these rights and no others."""

from typing import Any

READ = ["list", "watch"]
OWN = ["get", *READ, "create", "patch", "update", "delete"]
# As the chart's runtime.artifactCredentialsSecrets lists them.
CREDENTIALS = ["team-s3"]

MODELS_RULES: list[dict[str, Any]] = [
    {"apiGroups": ["serving.modelport.dev"], "resources": ["mlmodels"], "verbs": ["get", *READ]},
    {"apiGroups": ["serving.modelport.dev"], "resources": ["mlmodels/status"], "verbs": ["patch"]},
    {"apiGroups": ["serving.modelport.dev"], "resources": ["mlmodels/finalizers"], "verbs": ["update"]},
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": OWN},
    {"apiGroups": [""], "resources": ["services", "serviceaccounts"], "verbs": OWN},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": OWN},
    {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": OWN},
    {"apiGroups": [""], "resources": ["pods"], "verbs": READ},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": READ},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["get", "create", "patch"]},
    {"apiGroups": [""], "resources": ["secrets"], "resourceNames": CREDENTIALS, "verbs": ["get"]},
]
LEASE_RULES: list[dict[str, Any]] = [
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]}
]


def grants(models_namespace: str, platform_namespace: str) -> list[dict[str, Any]]:
    """A service account in the platform's namespace with a role there and one in the models'."""
    account = {"kind": "ServiceAccount", "name": "operator", "namespace": platform_namespace}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named(platform_namespace)},
        *_role(models_namespace, MODELS_RULES, account, "operator-models"),
        *_role(platform_namespace, LEASE_RULES, account, "operator-lease"),
    ]


def _role(
    namespace: str, rules: list[dict[str, Any]], account: dict[str, Any], name: str
) -> list[dict[str, Any]]:
    api, metadata = "rbac.authorization.k8s.io/v1", {"name": name, "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    return [
        {"apiVersion": api, "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": api,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [account],
        },
    ]


def _named(namespace: str) -> dict[str, str]:
    return {"name": "operator", "namespace": namespace}
