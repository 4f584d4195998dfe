"""The commands of etcd, API server, controller manager and scheduler."""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import audit
from tests.cluster.host.identities import Identities
from tests.cluster.host.plan import (
    ETCD_PEER_URL,
    ETCD_URL,
    NODE_ADDRESS,
    PODS,
    SERVICES,
    Places,
)

Command = Sequence[str | Path]


def etcd(kube: Path, places: Places) -> Command:
    return [
        kube,
        "etcd",
        "--name=modelport",
        f"--data-dir={places.etcd}",
        f"--listen-client-urls={ETCD_URL}",
        f"--advertise-client-urls={ETCD_URL}",
        f"--listen-peer-urls={ETCD_PEER_URL}",
        f"--initial-advertise-peer-urls={ETCD_PEER_URL}",
        f"--initial-cluster=modelport={ETCD_PEER_URL}",
        # Its data is thrown away with the cluster.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(kube: Path, places: Places, who: Identities) -> Command:
    policy = places.settings / "audit-policy.json"
    policy.write_text(json.dumps(audit.policy()))
    return [
        kube,
        "kube-apiserver",
        f"--bind-address={NODE_ADDRESS}",
        f"--advertise-address={NODE_ADDRESS}",
        "--secure-port=6443",
        f"--etcd-servers={ETCD_URL}",
        f"--service-cluster-ip-range={SERVICES}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--client-ca-file={who.authority.certificate}",
        f"--tls-cert-file={who.api_server.certificate}",
        f"--tls-private-key-file={who.api_server.key}",
        f"--kubelet-certificate-authority={who.authority.certificate}",
        f"--kubelet-client-certificate={who.api_server_to_kubelet.certificate}",
        f"--kubelet-client-key={who.api_server_to_kubelet.key}",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={who.tokens.certificate}",
        f"--service-account-signing-key-file={who.tokens.key}",
        f"--audit-policy-file={policy}",
        f"--audit-log-path={places.audit_log}",
    ]


def controller_manager(kube: Path, who: Identities) -> Command:
    return [
        kube,
        "kube-controller-manager",
        f"--kubeconfig={who.kubeconfig('controller-manager')}",
        "--bind-address=127.0.0.1",
        "--use-service-account-credentials",
        "--leader-elect=false",
        f"--root-ca-file={who.authority.certificate}",
        f"--service-account-private-key-file={who.tokens.key}",
        f"--cluster-signing-cert-file={who.authority.certificate}",
        f"--cluster-signing-key-file={who.authority.key}",
        f"--cluster-cidr={PODS}",
        "--allocate-node-cidrs=false",
        # Else a claim that comes before its volume has been seen waits for 15 s.
        "--pvclaimbinder-sync-period=1s",
    ]


def scheduler(kube: Path, who: Identities) -> Command:
    return [
        kube,
        "kube-scheduler",
        f"--kubeconfig={who.kubeconfig('scheduler')}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        # Else a pod that comes with its claim, and misses that this was bound, waits for 5 minutes.
        "--pod-max-in-unschedulable-pods-duration=10s",
    ]
