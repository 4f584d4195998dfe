"""The NetworkPolicies of one version: reached by gateway and operator, or by the batch worker, and reaching
its artifact's source only."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from modelport_crds.mlmodel import Artifact, MLModel, ModelVersion
from modelport_crds.names import LABEL_COMPONENT
from modelport_kube.kube import Object

from modelport_operator.core.naming import (
    batch_metadata,
    batch_selector,
    object_metadata,
    version_selector,
)
from modelport_operator.core.specs.container_env import artifact_address, is_in_platform_store, stored_at
from modelport_operator.core.specs.deployment import PORT
from modelport_operator.settings import Settings

# Nothing in the cluster, nor what a cloud serves to its own machines: an artifact's address comes from a
# user.
_PRIVATE_NETWORKS = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"),
    # Azure; IBM Cloud, twice.
    *("168.63.129.16/32", "161.26.0.0/16", "166.8.0.0/14"),
]
# What the registries give to hosts. Unique local addresses (fc00::/7, where clouds have their metadata too),
# link-local ones (fe80::/10), multicast and NAT64, which leads to IPv4 of any kind, are all beyond.
_IPV6_UNICAST = "2000::/3"
# Protocols' own (Teredo), documentation (twice), and 6to4, which leads to IPv4 as well.
_PRIVATE_IPV6_NETWORKS = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]
_PUBLIC = [
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": _PRIVATE_NETWORKS}},
    {"ipBlock": {"cidr": _IPV6_UNICAST, "except": _PRIVATE_IPV6_NETWORKS}},
]
_DEFAULT_PORTS = {"http": 80, "https": 443, "s3": 443}


def build_network_policy(model: MLModel, version: ModelVersion, settings: Settings) -> Object:
    """Of the pods that serve: reached by gateway and operator, and by the metrics' scraper if one is set."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": object_metadata(model, version.name),
        "spec": {
            "podSelector": {"matchLabels": version_selector(model, version.name)},
            **_rules(version, settings, callers=("gateway", "operator")),
        },
    }


def build_batch_network_policy(model: MLModel, version: ModelVersion, settings: Settings) -> Object:
    """Of the pods that do batch jobs: reached by the worker, not by the gateway."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": batch_metadata(model, version.name),
        "spec": {
            "podSelector": {"matchLabels": batch_selector(model, version.name)},
            **_rules(version, settings, callers=(settings.batch_worker_component,)),
        },
    }


def _rules(version: ModelVersion, settings: Settings, *, callers: Sequence[str]) -> Object:
    return {
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": _sources(callers, settings), "ports": [{"port": PORT, "protocol": "TCP"}]}],
        # A policy knows pods, not containers: the model shares what its init container needs.
        "egress": _egress(version, settings),
    }


def _sources(components: Sequence[str], settings: Settings) -> list[Object]:
    scraper = settings.metrics_scraper
    return [
        *(_platform_pods(component, settings) for component in components),
        *([_pods(scraper.namespace, scraper.labels)] if scraper else []),
    ]


def _egress(version: ModelVersion, settings: Settings) -> list[Object]:
    further = [rule.as_object() for rule in settings.extra_egress]
    rules = [*_to_source(version.artifact, settings), *_to_bundle(version, settings), *further]
    return [*rules, *(rule.as_object() for rule in settings.dns_egress)] if rules else []


def _to_source(artifact: Artifact, settings: Settings) -> list[Object]:
    port = _port(artifact_address(artifact, settings))
    if port is None:
        return []
    sources = [_platform_pods("control-api", settings)] if is_in_platform_store(artifact) else _PUBLIC
    return [{"to": sources, "ports": [{"port": port, "protocol": "TCP"}]}, *_inner(settings)]


def _to_bundle(version: ModelVersion, settings: Settings) -> list[Object]:
    """Of own packages beside a file from elsewhere; the platform's own files come from there anyway."""
    if version.lock is None or is_in_platform_store(version.artifact):
        return []
    port = _port(stored_at(version.lock.sha256, settings))
    to = [_platform_pods("control-api", settings)]
    return [{"to": to, "ports": [{"port": port, "protocol": "TCP"}]}] if port else []


def _inner(settings: Settings) -> list[Object]:
    """At any port: behind a Service the pod's own counts, which the artifact's address does not name."""
    networks = [{"ipBlock": {"cidr": network}} for network in settings.artifact_networks]
    return [{"to": networks}] if networks else []


def _port(address: str) -> int | None:
    url = urlsplit(address)
    return url.port or _DEFAULT_PORTS.get(url.scheme)


def _platform_pods(component: str, settings: Settings) -> Object:
    return _pods(settings.platform_namespace, {LABEL_COMPONENT: component})


def _pods(namespace: str, labels: dict[str, str]) -> Object:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": dict(labels)},
    }
