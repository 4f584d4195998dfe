"""The commands of kubelet and kube-proxy."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.cluster.host.identities import Identities
from tests.cluster.host.plan import CGROUP, DOMAIN, NODE_ADDRESS, NODE_NAME, PODS, Places

Command = Sequence[str | Path]


def kubelet(kube: Path, places: Places, who: Identities) -> Command:
    settings = places.settings / "kubelet.json"
    settings.write_text(json.dumps(kubelet_settings(places, who)))
    return [
        kube,
        "kubelet",
        f"--config={settings}",
        f"--kubeconfig={who.kubeconfig('kubelet')}",
        f"--root-dir={places.kubelet}",
        f"--cert-dir={places.kubelet / 'pki'}",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={NODE_ADDRESS}",
    ]


def kubelet_settings(places: Places, who: Identities) -> Mapping[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "healthzBindAddress": "127.0.0.1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(who.authority.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(who.kubelet_server.certificate),
        "tlsPrivateKeyFile": str(who.kubelet_server.key),
        "containerRuntimeEndpoint": f"unix://{places.containerd_socket}",
        # No systemd runs on many of the machines without Docker.
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "failSwapOn": False,
        "clusterDNS": [NODE_ADDRESS],
        "clusterDomain": DOMAIN,
        # Pods ask the cluster's DNS only; there is no way out to any other.
        "resolvConf": "/dev/null",
        "podLogsDir": str(places.logs / "pods"),
        "volumePluginDir": str(places.kubelet / "plugins"),
        # A nearly full disk or a big image must not make tests fail by eviction.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
            "imagefs.inodesFree": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }


def proxy(kube: Path, who: Identities) -> Command:
    return [
        kube,
        "kube-proxy",
        f"--kubeconfig={who.kubeconfig('proxy')}",
        "--proxy-mode=iptables",
        f"--cluster-cidr={PODS}",
        f"--hostname-override={NODE_NAME}",
        "--healthz-bind-address=127.0.0.1:10256",
        "--metrics-bind-address=127.0.0.1:10249",
        f"--nodeport-addresses={NODE_ADDRESS}/32",
        # Zero: leave this machine's connection tracking as it is.
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    ]
