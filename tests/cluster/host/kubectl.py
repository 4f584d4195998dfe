"""kubectl of the cluster's own version, as its administrator."""

from tests.cluster import programs
from tests.cluster.commands import run, succeeds
from tests.cluster.host.plan import NODE_NAME, Places


def kubectl(places: Places, *arguments: str, input: str | None = None, timeout: float = 60) -> str:
    return run(*_command(places), *arguments, input=input, timeout=timeout)


def api_answers(places: Places) -> bool:
    return succeeds(*_command(places), "get", "--raw", "/readyz", timeout=20)


def node_is_ready(places: Places, seconds: int = 1) -> bool:
    wait = ("wait", "--for=condition=Ready", f"node/{NODE_NAME}", f"--timeout={seconds}s")
    return succeeds(*_command(places), *wait, timeout=seconds + 10)


def _command(places: Places) -> tuple[str, ...]:
    return (str(programs.KUBE.path), "kubectl", "--kubeconfig", str(places.kubeconfig))
