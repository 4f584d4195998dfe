"""Which cluster the tests use: a given one, else kind's, else processes of this machine, else none."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.cluster import folders, kind, packages, programs
from tests.cluster.cluster import NONE_TO_BE_HAD, Cluster, NoCluster
from tests.cluster.host import images, machine, starting, stopping, storage
from tests.cluster.host.plan import Places
from tests.cluster.host.processes import ProcessTrouble

__all__ = ["Cluster", "NoCluster", "find_or_start", "prepare", "prepare_helm", "running", "start", "stop"]

_GIVEN = ("MODELPORT_TEST_KUBECONFIG", "KUBECONFIG")
_ROOT_OF_TESTS = Path(__file__).parents[2]


def find_or_start() -> Cluster:
    """For tests. Raises NoCluster where there is none to be had."""
    _be_wanted()
    found = given(os.environ)
    if found is None and not kind.possible():
        _have_the_machine()
        # In a process of its own, whose children are then nobody's in the test run.
        _start_apart()
    cluster = found or start()
    _have_tools()
    # What an earlier run let go of.
    cluster.recycle_volumes()
    return cluster


def prepare() -> None:
    """Build and install what a cluster takes; start nothing. Raises NoCluster where none is to be had."""
    prepare_helm()
    if _is_built_here():
        packages.install({**packages.NODE, **packages.IMAGES})
        for program in (programs.KUBE, programs.COREDNS, programs.PAUSE):
            programs.ensure(program)


def prepare_helm() -> None:
    """The chart's unit tests want it too. Raises NoCluster as `prepare` does."""
    _is_built_here()
    programs.ensure(programs.HELM)


def start() -> Cluster:
    """Does nothing where one runs already. Raises NoCluster where there is none to be had."""
    with folders.alone_with("cluster"):
        found = given(os.environ)
        if found is not None:
            return found
        if kind.possible():
            return kind.up()
        why_not = host_is_impossible()
        if why_not:
            raise NoCluster(why_not)
        starting.up(Places())
        return host_cluster()


def running() -> Cluster | None:
    """The one that `start` would give, if it would start nothing."""
    found = given(os.environ)
    if found is not None:
        return found
    if kind.exists():
        return kind.up()
    return host_cluster() if starting.healthy(Places()) else None


def stop() -> None:
    """Raises ProcessTrouble where other tests use it."""
    with folders.alone_with("cluster"):
        kind.down()
        machine.be_unused()
        stopping.down(Places())


def given(environment: Mapping[str, str]) -> Cluster | None:
    for variable in _GIVEN:
        if not environment.get(variable):
            continue
        path = Path(environment[variable].split(os.pathsep)[0])
        # Our own is more than a kubeconfig, and may have to be started.
        if path.resolve() in {Places().kubeconfig.resolve(), kind.kubeconfig().resolve()}:
            return None
        if not path.is_file():
            raise NoCluster(f"{variable} names {path}, which is no file")
        return _given_cluster(path)
    return None


def host_cluster() -> Cluster:
    places = Places()
    return Cluster(
        kind="host",
        kubeconfig=places.kubeconfig,
        load_image=partial(images.load, places),
        remove_image=partial(images.remove, places),
        restart_api_server=partial(starting.restart_api_server, places),
        recycle_volumes=partial(storage.recycle, places),
        audit_log=places.audit_log,
        # Its network plugin knows none.
        enforces_network_policies=False,
    )


def host_is_impossible() -> str:
    """Why, or nothing."""
    wants = "a cluster needs KUBECONFIG, or kind with Docker, or Linux with root and Go"
    if sys.platform != "linux":
        return f"{wants}; this is {sys.platform}"
    if os.geteuid() != 0:
        return f"{wants}; this user is not root"
    built = all(each.path.exists() for each in (programs.KUBE, programs.COREDNS, programs.PAUSE))
    return "" if built or programs.go_is_there() else f"{wants}; there is no go on PATH"


def _given_cluster(path: Path) -> Cluster:
    def refuse(what: str) -> None:
        raise NoCluster(f"the cluster was given ({path}): {what}")

    return Cluster(
        kind="given",
        kubeconfig=path,
        load_image=lambda _: refuse("bring the images into it yourself"),
        remove_image=lambda _: refuse("its images are not ours to remove"),
        restart_api_server=lambda: refuse("its API server is not ours to restart"),
    )


def _is_built_here() -> bool:
    """Raises NoCluster where none is to be had."""
    _be_wanted()
    if given(os.environ) is not None or kind.possible():
        return False
    if why_not := host_is_impossible():
        raise NoCluster(why_not)
    return True


def _be_wanted() -> None:
    if os.environ.get("MODELPORT_TEST_CLUSTER") == "none":
        raise NoCluster("MODELPORT_TEST_CLUSTER=none")


def _start_apart() -> None:
    command = [sys.executable, "-m", "tests.cluster", "up"]
    answer = subprocess.run(command, cwd=_ROOT_OF_TESTS, stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode == NONE_TO_BE_HAD:
        raise NoCluster(answer.stdout.strip().removeprefix("no cluster: "))
    if answer.returncode:
        # Not a reason to skip tests: here is one to be had, and it did not start.
        raise ProcessTrouble(answer.stdout.strip() or f"{' '.join(command)} ended with {answer.returncode}")


def _have_the_machine() -> None:
    if not host_is_impossible():
        machine.keep()
        # Before the process apart, which could not tell that it is this one that uses the cluster.
        machine.take(Places())


def _have_tools() -> None:
    wanted = {"kubectl": programs.KUBE, "helm": programs.HELM}
    missing = [program for name, program in wanted.items() if shutil.which(name) is None]
    if programs.go_is_there():
        programs.put_on_path(*missing)
