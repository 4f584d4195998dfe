"""Where the API keeps the kinds that the platform touches."""

from modelport_crds.names import KIND, PLURAL

from modelport_kube.kube import RESOURCES

_PLURALS = {KIND: PLURAL, "NetworkPolicy": "networkpolicies"}


def collection_path(kind: str, namespace: str | None) -> str:
    """`kind` is a key of `RESOURCES`; namespace None: all of them."""
    api_version = RESOURCES[kind]
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    scope = f"/namespaces/{namespace}" if namespace is not None else ""
    return f"{root}{scope}/{_PLURALS.get(kind, f'{kind.lower()}s')}"


def object_path(kind: str, namespace: str, name: str) -> str:
    return f"{collection_path(kind, namespace)}/{name}"
