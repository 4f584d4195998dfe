"""containerd's settings and command."""

import json
from pathlib import Path

from tests.cluster.host.plan import NODE_PODS, PAUSE_IMAGE, POD_LINK, Places

_PLUGIN_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))

_SETTINGS = """
version = 2
root = {root}
state = {state}
[grpc]
address = {socket}
[plugins."io.containerd.internal.v1.opt"]
path = {opt}
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = {pause}
# Else a pod dies where the caller may not lower its oom_score_adj (no CAP_SYS_RESOURCE).
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = {plugins}
conf_dir = {network}
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
Root = {runc}
SystemdCgroup = false
"""


def command(places: Places) -> list[str | Path]:
    return ["containerd", "--config", _write_settings(places), "--log-level", "warn"]


def settings(places: Places) -> str:
    paths = {
        "root": places.containerd / "root",
        "state": places.containerd / "state",
        "opt": places.containerd / "opt",
        "runc": places.containerd / "runc",
        "socket": places.containerd_socket,
        "network": places.network,
        "plugins": next((each for each in _PLUGIN_FOLDERS if each.exists()), _PLUGIN_FOLDERS[0]),
        "pause": PAUSE_IMAGE,
    }
    return _SETTINGS.format(**{name: json.dumps(str(path)) for name, path in paths.items()})


def pod_network(places: Places) -> str:
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": NODE_PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(places.network / "addresses"),
    }
    bridge = {
        "type": "bridge",
        "bridge": POD_LINK,
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": addresses,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.4.0", "name": "modelport-cluster", "plugins": [bridge, ports]})


def _write_settings(places: Places) -> Path:
    places.network.mkdir(exist_ok=True)
    (places.network / "10-pods.conflist").write_text(pod_network(places))
    path = places.settings / "containerd.toml"
    path.write_text(settings(places))
    return path
