"""Names, addresses and places of the cluster: what the other modules must agree about."""

from pathlib import Path

from tests.cluster import folders

NODE_NAME = "modelport"
NODE_LINK = "kube0"
POD_LINK = "kubepods0"

NODE_ADDRESS = "10.89.0.1"
API_SERVICE_ADDRESS = "10.96.0.1"
SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/16"
NODE_PODS = "10.244.0.0/24"
DOMAIN = "cluster.local"

API_URL = f"https://{NODE_ADDRESS}:6443"
ETCD_URL = "http://127.0.0.1:2379"
ETCD_PEER_URL = "http://127.0.0.1:2380"
DNS_READY_ADDRESS = "127.0.0.1:18181"

PAUSE_IMAGE = "localhost/modelport-pause:1"
CGROUP = "modelport-cluster"


class Places:
    """Everything that the cluster writes lies under one folder, which `down` removes."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or folders.state()
        self.kubeconfig = self.root / "kubeconfig"
        self.logs = self.root / "logs"
        self.audit_log = self.logs / "audit.log"
        self.processes = self.root / "processes"
        self.certificates = self.root / "certificates"
        self.settings = self.root / "settings"
        self.containerd = self.root / "containerd"
        # Short: a unix socket's path has at most 107 characters.
        self.containerd_socket = self.root / "containerd.sock"
        self.kubelet = self.root / "kubelet"
        self.etcd = self.root / "etcd"
        self.network = self.root / "cni"
        self.volumes = self.root / "volumes"
        self.images = self.root / "images"

    def make(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.logs, self.processes, self.certificates, self.settings, self.images):
            folder.mkdir(exist_ok=True)
