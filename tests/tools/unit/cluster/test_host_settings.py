"""The settings and commands of the cluster's programs, without starting one."""

import io
import json
import stat
import tarfile
import tomllib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from tests.cluster.host import containerd, control_plane, identities, manifests, names, node, pause
from tests.cluster.host.identities import Identities
from tests.cluster.host.iptables import without_cluster_rules
from tests.cluster.host.plan import NODE_ADDRESS, PAUSE_IMAGE, Places

KUBE = Path("kube")
SAVED_RULES = """*nat
:PREROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
:CNI-FORWARD - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -j CNI-HOSTPORT-DNAT
-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-NPX46M4PTMTKRN6Y
-A FORWARD -j CNI-FORWARD
-A INPUT -m comment --comment "KUBE-like" -j ACCEPT
COMMIT
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "state")
    made.make()
    return made


@pytest.fixture
def who(places: Places) -> Identities:
    return identities.create(places)


def commands(places: Places, who: Identities) -> Iterator[list[str]]:
    for command in (
        control_plane.etcd(KUBE, places),
        control_plane.api_server(KUBE, places, who),
        control_plane.controller_manager(KUBE, who),
        control_plane.scheduler(KUBE, who),
        node.kubelet(KUBE, places, who),
        node.proxy(KUBE, who),
    ):
        yield [str(word) for word in command]


def test_nothing_listens_but_on_loopback_and_the_nodes_own_address(places: Places, who: Identities) -> None:
    words = [word for command in commands(places, who) for word in command]
    addresses = [word.partition("=")[2] for word in words if "bind-address" in word or "listen-" in word]
    hosts = {each.partition("://")[2] or each for each in addresses}
    assert {host.partition(":")[0] for host in hosts} == {"127.0.0.1", NODE_ADDRESS}
    kubelet = node.kubelet_settings(places, who)
    assert kubelet["address"] == NODE_ADDRESS
    assert kubelet["authentication"]["anonymous"] == {"enabled": False}


def test_every_file_that_a_command_names_is_there_or_below_the_state_folder(
    places: Places, who: Identities
) -> None:
    for command in commands(places, who):
        paths = [Path(word.partition("=")[2]) for word in command if "=/" in word]
        assert all(path.is_relative_to(places.root) for path in paths)
        read = [path for path in paths if path.suffix in {".crt", ".key", ".pub", ".json", ".kubeconfig"}]
        assert all(path.is_file() for path in read)


def test_the_kubeconfig_is_whole_in_itself_and_closed_to_others(places: Places, who: Identities) -> None:
    assert stat.S_IMODE(places.kubeconfig.stat().st_mode) == 0o600
    config = yaml.safe_load(places.kubeconfig.read_text())
    assert set(config["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}


def test_the_api_servers_certificate_covers_every_name_it_is_called_by(who: Identities) -> None:
    certificate = x509.load_pem_x509_certificate(who.api_server.certificate.read_bytes())
    covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "kubernetes.default.svc" in covered.get_values_for_type(x509.DNSName)
    assert ip_address(NODE_ADDRESS) in covered.get_values_for_type(x509.IPAddress)


def test_containerds_settings_are_its_own_and_let_pods_start_without_every_capability(
    places: Places,
) -> None:
    settings = tomllib.loads(containerd.settings(places))
    cri = settings["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["restrict_oom_score_adj"] is True
    assert cri["sandbox_image"] == PAUSE_IMAGE
    assert Path(settings["root"]).is_relative_to(places.root)
    assert json.loads(containerd.pod_network(places))["plugins"][0]["ipMasq"] is False


def test_the_names_server_reads_the_cluster_as_its_own_user(who: Identities) -> None:
    assert f"kubeconfig {who.kubeconfig('dns')}" in names.corefile(who.kubeconfig("dns"))


def test_claims_without_a_class_find_volumes_that_any_user_may_write_to(places: Places) -> None:
    kinds = [each["kind"] for each in manifests.storage(places)]
    assert kinds == ["StorageClass"] + ["PersistentVolume"] * manifests.VOLUMES
    annotations = manifests.storage(places)[0]["metadata"]["annotations"]
    assert annotations["storageclass.kubernetes.io/is-default-class"] == "true"


def test_only_the_clusters_rules_are_taken_out() -> None:
    kept = without_cluster_rules(SAVED_RULES).splitlines()
    assert kept == [
        "*nat",
        ":PREROUTING ACCEPT [0:0]",
        ":CNI-FORWARD - [0:0]",
        "-A FORWARD -j CNI-FORWARD",
        '-A INPUT -m comment --comment "KUBE-like" -j ACCEPT',
        "COMMIT",
    ]


def test_the_pause_image_is_an_archive_as_docker_save_makes_it(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF")
    with tarfile.open(pause.archive(program, tmp_path / "image.tar")) as image:
        contents = {each.name: (image.extractfile(each) or io.BytesIO()).read() for each in image}
    (manifest,) = json.loads(contents["manifest.json"])
    assert manifest["RepoTags"] == [PAUSE_IMAGE]
    assert json.loads(contents[manifest["Config"]])["config"]["Entrypoint"] == ["/pause"]
    with tarfile.open(fileobj=io.BytesIO(contents[manifest["Layers"][0]])) as layer:
        assert [(each.name, each.mode) for each in layer] == [("pause", 0o755)]
