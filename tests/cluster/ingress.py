"""Traefik on this machine as the cluster's ingress controller, reachable on the loopback interface only."""

import json
import shutil
import sys
from pathlib import Path

from tests.cluster.cluster import Cluster, NoCluster
from tests.cluster.host.kubectl import kubectl
from tests.cluster.host.plan import Places
from tests.cluster.host.processes import ProcessTrouble, Running, recorded, start, stop
from tests.cluster.waiting import answers, wait_until

PORT = 18080
CLASS = "traefik"
# As docs/operations.md advises: a gateway that dies takes along what it had not answered, and only what is
# in front of it can ask elsewhere. A prediction changes nothing: asking twice is harmless.
# The tries of one request outlast (1.4 s) a dead pod's time in the routes; each second one may meet it again,
# and ten within 0.3 s once all did.
_RETRY = {"attempts": 20, "initialInterval": "50ms", "retryNonIdempotentMethod": True, "status": ["502"]}
_RETRIES = {"http": {"middlewares": {"retries": {"retry": _RETRY}}}}


def up(cluster: Cluster, port: int = PORT) -> str:
    """Return the URL at which Ingresses are served. Does nothing where it runs; ends with the cluster."""
    if cluster.kind != "host":
        raise NoCluster(
            f"pods of a cluster of kind {cluster.kind} cannot be reached from here: "
            "install an ingress controller in it and forward its port"
        )
    places = Places()
    running = _running(places, port)
    if running is None:
        kubectl(places, "apply", "-f", "-", input=json.dumps(_ingress_class()))
        # YAML by its name, as Traefik wants; JSON is YAML.
        settings = places.root / "traefik.yaml"
        settings.write_text(json.dumps(_RETRIES))
        command = _command(port, settings)
        running = start(places, _name(port), command, {"KUBECONFIG": str(cluster.kubeconfig)})
    _wait(places, running, port)
    return f"http://127.0.0.1:{port}"


def down(port: int = PORT) -> None:
    places = Places()
    running = _running(places, port)
    if running is not None:
        stop(places, running)


def _wait(places: Places, running: Running, port: int) -> None:
    ping = f"http://127.0.0.1:{port + 1}/ping"
    wait_until(lambda: answers(ping) or not running.alive(), 30)
    if not running.alive():
        stop(places, running)
        raise ProcessTrouble(f"Traefik ended; is port {port} free? See {places.logs}/{running.name}.log")


def _running(places: Places, port: int) -> Running | None:
    found = (each for each in recorded(places) if each.name == _name(port) and each.alive())
    return next(found, None)


def _name(port: int) -> str:
    return f"traefik-{port}"


def _command(port: int, settings: Path) -> list[str | Path]:
    return [
        _program(),
        f"--entrypoints.web.address=127.0.0.1:{port}",
        # Its own responses get a port of their own, so that the first one has the application's paths only.
        f"--entrypoints.traefik.address=127.0.0.1:{port + 1}",
        "--ping",
        "--providers.kubernetesingress",
        f"--providers.file.filename={settings}",
        "--entrypoints.web.http.middlewares=retries@file",
        "--accesslog",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]


def _program() -> Path:
    # The package puts it beside the environment's Python.
    found = shutil.which("traefik", path=str(Path(sys.executable).parent)) or shutil.which("traefik")
    if found is None:
        raise NoCluster("there is no traefik: install the dev requirements (make test does)")
    return Path(found)


def _ingress_class() -> dict[str, object]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {
            "name": CLASS,
            "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
        },
        "spec": {"controller": "traefik.io/ingress-controller"},
    }
