"""Each disturbance, by the name that docs/operations.md gives it. Blocking: the load runs elsewhere."""

import time
from collections.abc import Callable, Mapping

from tests.e2e.disturbances.world import World
from tests.e2e.kubectl import Kubectl
from tests.e2e.people import eventually


def nothing(_: World) -> None:
    time.sleep(5)


def roll_a_version(world: World) -> None:
    world.person.upload(world.file, "--to", world.model_id)


def roll_back(world: World) -> None:
    before = world.person.model(world.model_id)["traffic"]
    world.person.cli("rollback", world.model_id)
    eventually(lambda: world.person.model(world.model_id)["traffic"] != before)


def kill_a_gateway_pod(world: World) -> None:
    _delete_pod(world.release, "app.kubernetes.io/component=gateway")


def kill_a_model_pod(world: World) -> None:
    _delete_pod(world.models, f"serving.modelport.dev/model={world.model_id}")


def kill_a_model_process(world: World) -> None:
    """SIGKILL, with no chance to drain."""
    _delete_pod(world.models, f"serving.modelport.dev/model={world.model_id}", "--grace-period=0", "--force")


def kill_the_operator(world: World) -> None:
    _delete_pod(world.release, "app.kubernetes.io/component=operator", "--grace-period=0", "--force")


def kill_the_control_api(world: World) -> None:
    _delete_pod(world.release, "app.kubernetes.io/component=control-api", "--grace-period=0", "--force")


def restart_redis(world: World) -> None:
    _delete_pod(world.release, "app.kubernetes.io/component=redis")


def restart_postgresql(world: World) -> None:
    _delete_pod(world.release, "app.kubernetes.io/component=postgresql")


def restart_the_api_server(world: World) -> None:
    world.cluster.restart_api_server()


KINDS: Mapping[str, Callable[[World], None]] = {
    "nothing (for comparison)": nothing,
    "roll a version": roll_a_version,
    "roll back": roll_back,
    "kill a gateway pod": kill_a_gateway_pod,
    "kill a model pod": kill_a_model_pod,
    "kill a model pod without grace": kill_a_model_process,
    "kill the operator": kill_the_operator,
    "kill the control API": kill_the_control_api,
    "restart Redis": restart_redis,
    "restart PostgreSQL": restart_postgresql,
    "restart the API server": restart_the_api_server,
}


def _delete_pod(kubectl: Kubectl, selector: str, *options: str) -> None:
    running = ("--field-selector", "status.phase=Running", "-o", "name")
    first = kubectl.run("get", "pod", "-l", selector, *running).split()[0]
    kubectl.run("delete", first, "--wait=false", *options)
