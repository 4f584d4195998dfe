"""Starts the cluster, in the order in which the programs need each other."""

import json
import signal
import time
from pathlib import Path

from tests.cluster import packages, programs
from tests.cluster.host import (
    cgroups,
    containerd,
    control_plane,
    identities,
    images,
    machine,
    names,
    network,
    node,
    pause,
    stopping,
    storage,
    sysctls,
)
from tests.cluster.host.identities import Identities
from tests.cluster.host.kubectl import api_answers, kubectl, node_is_ready
from tests.cluster.host.manifests import as_list, rights
from tests.cluster.host.plan import DNS_READY_ADDRESS, Places
from tests.cluster.host.processes import ProcessTrouble, recorded, restart, start
from tests.cluster.progress import say
from tests.cluster.waiting import answers, wait_until

_API_SECONDS = 240
_NODE_SECONDS = 240
_PROGRAMS = {
    "etcd",
    "containerd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "coredns",
}


def healthy(places: Places) -> bool:
    alive = {each.name for each in recorded(places) if each.alive()}
    # With all of them there it is only busy, or the API server is being restarted: that is worth a wait,
    # for the answer "no" costs all that is in the cluster.
    return alive >= _PROGRAMS and wait_until(lambda: node_is_ready(places), _NODE_SECONDS)


def up(places: Places) -> None:
    if healthy(places):
        return
    packages.install(packages.NODE)
    kube, coredns, pause_program = map(programs.ensure, (programs.KUBE, programs.COREDNS, programs.PAUSE))
    if places.root.exists():
        say("Removing what is left of an earlier cluster")
        stopping.down(places)
    machine.take(places)
    began = time.monotonic()
    say(f"Starting Kubernetes {programs.KUBE.version} (15 s); logs in {places.logs}")
    who = _prepare(places)
    _start_api(kube, places, who)
    _start_rest(kube, coredns, places, who)
    images.load(places, pause.archive(pause_program, places.settings / "pause.tar"))
    _wait_for_node(places)
    say(f"    the node is ready after {time.monotonic() - began:.1f} s")


def restart_api_server(places: Places) -> None:
    """As in a crash. Asked to end, it would drain for a minute, since watches stay open."""
    restart(places, "kube-apiserver", signal.SIGKILL)
    _wait_for_api(places)


def _prepare(places: Places) -> Identities:
    places.make()
    sysctls.up(places)
    cgroups.up()
    network.up()
    return identities.create(places)


def _start_api(kube: Path, places: Places, who: Identities) -> None:
    start(places, "etcd", control_plane.etcd(kube, places))
    start(places, "containerd", containerd.command(places))
    start(places, "kube-apiserver", control_plane.api_server(kube, places, who))
    _wait_for_api(places)
    kubectl(places, "apply", "-f", "-", input=json.dumps(as_list(rights())))


def _start_rest(kube: Path, coredns: Path, places: Places, who: Identities) -> None:
    start(places, "kube-controller-manager", control_plane.controller_manager(kube, who))
    start(places, "kube-scheduler", control_plane.scheduler(kube, who))
    start(places, "kubelet", node.kubelet(kube, places, who))
    start(places, "kube-proxy", node.proxy(kube, who))
    start(places, "coredns", names.command(coredns, places, who))
    storage.up(places)


def _wait_for_api(places: Places) -> None:
    if not wait_until(lambda: api_answers(places), _API_SECONDS):
        raise ProcessTrouble(f"the API server does not answer: see {places.logs}")


def _wait_for_node(places: Places) -> None:
    if not wait_until(lambda: node_is_ready(places), _NODE_SECONDS):
        raise ProcessTrouble(f"the node does not become ready: see {places.logs}")
    # Before it, no pod can be made.
    kubectl(places, "wait", "--for=create", "serviceaccount/default", f"--timeout={_NODE_SECONDS}s")
    if not wait_until(lambda: answers(f"http://{DNS_READY_ADDRESS}/ready"), _API_SECONDS):
        raise ProcessTrouble(f"DNS does not become ready: see {places.logs}")
