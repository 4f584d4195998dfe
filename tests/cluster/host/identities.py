"""Who is who in the cluster: each program's certificate, and its kubeconfig where it is a client."""

from dataclasses import dataclass
from pathlib import Path

from tests.cluster.host import kubeconfigs
from tests.cluster.host.certificates import Authority, Pair, signing_key
from tests.cluster.host.plan import API_SERVICE_ADDRESS, DOMAIN, NODE_ADDRESS, NODE_NAME, Places

_API_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    f"kubernetes.default.svc.{DOMAIN}",
)
_API_HOSTS = ("127.0.0.1", "localhost", NODE_ADDRESS, API_SERVICE_ADDRESS, *_API_NAMES)
_CLIENTS = {
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "proxy": ("system:kube-proxy", ""),
    "dns": ("modelport:dns", ""),
    "kubelet": (f"system:node:{NODE_NAME}", "system:nodes"),
}


@dataclass(frozen=True)
class Identities:
    authority: Pair
    api_server: Pair
    api_server_to_kubelet: Pair
    kubelet_server: Pair
    tokens: Pair
    kubeconfigs: Path
    """The folder of the clients' files, each by its name in `_CLIENTS`."""

    def kubeconfig(self, client: str) -> Path:
        return self.kubeconfigs / f"{client}.kubeconfig"


def create(places: Places) -> Identities:
    authority = Authority(places.certificates)
    for client, (user, group) in _CLIENTS.items():
        path = places.certificates / f"{client}.kubeconfig"
        kubeconfigs.write(path, authority.own.certificate, user, authority.issue(client, user, group))
    admin = authority.issue("admin", "kubernetes-admin", "system:masters")
    kubeconfigs.write(places.kubeconfig, authority.own.certificate, "kubernetes-admin", admin)
    return Identities(
        authority=authority.own,
        api_server=authority.issue("api-server", "kube-apiserver", hosts=_API_HOSTS),
        api_server_to_kubelet=authority.issue("api-server-client", "kube-apiserver", "system:masters"),
        kubelet_server=authority.issue("kubelet-server", NODE_NAME, hosts=(NODE_NAME, NODE_ADDRESS)),
        tokens=signing_key(places.certificates),
        kubeconfigs=places.certificates,
    )
