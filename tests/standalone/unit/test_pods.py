"""A Deployment's pods as processes: probes, restarts, rollouts, environment, output, the end."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from modelport_crds.names import LABEL_BATCH_VERSION
from modelport_standalone.local_cluster.cluster import LocalCluster

from tests.standalone.unit.objects import (
    NAMESPACE,
    apply,
    container,
    deployment,
    is_ready,
    model,
    pid_of,
    pods,
    printed,
    ready_addresses,
    wait_for_count,
    wait_for_pod,
)
from tests.support.platform_process import is_running


async def test_a_pod_is_routed_to_when_its_readiness_probe_passes(cluster: LocalCluster) -> None:
    await apply(cluster, deployment(DELAY="0.3"))
    pod = await wait_for_pod(cluster, lambda pod: "running" in container(pod)["state"])
    assert not is_ready(pod)
    assert await ready_addresses(cluster) == []
    pod = await wait_for_pod(cluster, is_ready)
    assert await ready_addresses(cluster) == [pod["status"]["podIP"]]
    assert len(pod["status"]["podIP"].removeprefix("unix:")) < 104


async def test_a_pod_that_has_started_but_is_not_ready_gets_no_requests(cluster: LocalCluster) -> None:
    await apply(cluster, deployment(REFUSE="readyz"))
    pod = await wait_for_pod(cluster, lambda pod: container(pod).get("started", False))
    assert not is_ready(pod)
    assert await ready_addresses(cluster) == []


async def test_a_pod_sees_only_what_its_template_says(
    cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_SECRET", "hunter2")
    await apply(cluster, deployment())
    pod = await wait_for_pod(cluster, is_ready)
    names = (await printed(cluster, pod)).splitlines()[0].partition("[")[2]
    assert names == "'LANG', 'LISTEN', 'MODELPORT_RUNTIME_PARENT_PID', 'PATH']"


async def test_a_killed_process_is_back_at_once_and_is_not_routed_to_meanwhile(cluster: LocalCluster) -> None:
    await apply(cluster, deployment())
    pod = await wait_for_pod(cluster, is_ready)
    os.kill(await pid_of(cluster, pod), signal.SIGKILL)
    killed_at = time.monotonic()
    await wait_for_pod(cluster, lambda pod: not is_ready(pod))
    assert await ready_addresses(cluster) == []
    back = await wait_for_pod(cluster, lambda pod: is_ready(pod) and container(pod)["restartCount"] == 1)
    assert time.monotonic() - killed_at < 10
    ended = container(back)["lastState"]["terminated"]
    assert (ended["exitCode"], ended["signal"]) == (137, 9)
    assert back["metadata"]["name"] == pod["metadata"]["name"]


async def test_a_crash_says_its_last_words_and_is_tried_again_ever_later(cluster: LocalCluster) -> None:
    await apply(cluster, deployment(EXIT="3"))
    pod = await wait_for_pod(cluster, lambda pod: container(pod)["restartCount"] >= 2)
    ended = container(pod)["lastState"]["terminated"]
    assert (ended["exitCode"], ended["message"], ended["reason"]) == (3, "last words", "Error")
    delays = [line.split()[-2] for line in (await printed(cluster, pod)).splitlines() if "again in" in line]
    first, second = (float(delay) for delay in delays[:2])
    # Each between half of its limit, 0.1 and 0.4 s, and all of it.
    assert first <= 0.1 < second <= 0.4


@pytest.mark.parametrize(("megabytes", "is_killed"), [(200, True), (100, False)])
async def test_a_pod_that_holds_more_memory_than_its_limit_is_killed_for_it(
    megabytes: int, is_killed: bool, cluster: LocalCluster
) -> None:
    wanted = deployment(HOLD_MEGABYTES=str(megabytes))
    wanted["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"memory": "150Mi"}}
    await apply(cluster, wanted)

    if not is_killed:
        pod = await wait_for_pod(cluster, is_ready)
        await asyncio.sleep(1.5)
        assert container(pod)["restartCount"] == 0
        return
    pod = await wait_for_pod(cluster, lambda pod: container(pod)["restartCount"] > 0)
    ended = container(pod)["lastState"]["terminated"]
    assert ended["reason"] == "OOMKilled"
    assert "its limit is 150 MiB" in ended["message"]


async def test_a_process_that_never_starts_up_is_killed_for_it(cluster: LocalCluster) -> None:
    wanted = deployment(REFUSE="startupz")
    wanted["spec"]["template"]["spec"]["containers"][0]["startupProbe"]["failureThreshold"] = 1
    await apply(cluster, wanted)
    pod = await wait_for_pod(cluster, lambda pod: "terminated" in container(pod).get("lastState", {}))
    assert container(pod)["lastState"]["terminated"]["reason"] == "StartupProbeFailed"


async def test_a_process_that_stops_being_alive_is_killed_for_it(cluster: LocalCluster) -> None:
    wanted = deployment(REFUSE="healthz")
    probe = {"httpGet": {"path": "/healthz"}, "periodSeconds": 0.05, "failureThreshold": 2}
    wanted["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = probe
    await apply(cluster, wanted)
    pod = await wait_for_pod(cluster, lambda pod: "terminated" in container(pod).get("lastState", {}))
    assert container(pod)["lastState"]["terminated"]["reason"] == "LivenessProbeFailed"


async def test_an_init_container_works_in_the_pods_volumes_before_the_container(
    cluster: LocalCluster,
) -> None:
    code = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text('fetched'); print('init', sys.argv[1])"
    wanted = deployment(init=code)
    fetch = wanted["spec"]["template"]["spec"]["initContainers"][0]
    fetch["args"] = ["/modelport/artifact/model"]
    await apply(cluster, wanted)
    pod = await wait_for_pod(cluster, is_ready)
    said = next(line for line in (await printed(cluster, pod)).splitlines() if line.startswith("init"))
    assert await asyncio.to_thread(os.path.exists, said.split()[1])


async def test_an_init_container_that_ends_with_1_has_failed_for_good(cluster: LocalCluster) -> None:
    word = '{"reason": "DigestMismatch", "message": "other bytes"}'
    await apply(cluster, deployment(init=f"import sys; print({word!r}, file=sys.stderr); sys.exit(1)"))
    pod = await wait_for_pod(
        cluster, lambda pod: "terminated" in pod["status"]["initContainerStatuses"][0]["state"]
    )
    assert pod["status"]["initContainerStatuses"][0]["state"]["terminated"]["message"] == word
    await asyncio.sleep(0.3)
    (pod,) = await pods(cluster)
    assert pod["status"]["initContainerStatuses"][0]["restartCount"] == 0


async def test_an_init_container_that_ends_with_2_is_tried_again(cluster: LocalCluster) -> None:
    code = "import os, sys; sys.exit(0 if os.path.exists('tried') else open('tried', 'w').close() or 2)"
    await apply(cluster, deployment(init=code))
    pod = await wait_for_pod(cluster, is_ready)
    assert pod["status"]["initContainerStatuses"][0]["restartCount"] == 1


async def test_a_changed_template_starts_beside_the_old_pod_which_goes_when_the_new_is_ready(
    cluster: LocalCluster,
) -> None:
    await apply(cluster, deployment())
    old = await wait_for_pod(cluster, is_ready)
    await apply(cluster, deployment(DELAY="0.5"))
    await wait_for_count(cluster, 2)
    await wait_for_count(cluster, 1, meanwhile=lambda: serves_at_every_moment(cluster))
    (new,) = await pods(cluster)
    assert is_ready(new)
    assert new["metadata"]["name"] != old["metadata"]["name"]


async def test_a_changed_template_that_never_gets_ready_leaves_the_old_pod_serving(
    cluster: LocalCluster,
) -> None:
    await apply(cluster, deployment())
    old = await wait_for_pod(cluster, is_ready)
    await apply(cluster, deployment(EXIT="3"))
    await wait_for_pod(cluster, lambda pod: container(pod)["restartCount"] >= 1)
    assert await ready_addresses(cluster) == [old["status"]["podIP"]]


async def test_replicas_are_followed_up_and_down(cluster: LocalCluster) -> None:
    await apply(cluster, deployment(replicas=2))
    await wait_for_count(cluster, 2)
    await apply(cluster, deployment(replicas=1))
    await wait_for_count(cluster, 1)
    await wait_for_pod(cluster, is_ready)
    assert len(await ready_addresses(cluster)) == 1


async def test_the_output_of_a_version_that_was_stopped_can_still_be_read(cluster: LocalCluster) -> None:
    await apply(cluster, deployment(EXIT="3"))
    await wait_for_pod(cluster, lambda pod: container(pod)["restartCount"] >= 1)
    await apply(cluster, deployment(EXIT="3", replicas=0))
    ended = await wait_for_pod(cluster, lambda pod: pod["status"]["phase"] == "Succeeded")
    assert "last words" in await printed(cluster, ended)


async def test_deleting_the_model_deletes_its_deployment_and_its_processes(cluster: LocalCluster) -> None:
    owner = await apply(cluster, model())
    await apply(cluster, deployment(owner=owner["metadata"]["uid"]))
    pid = await pid_of(cluster, await wait_for_pod(cluster, is_ready))
    await cluster.delete("MLModel", NAMESPACE, "iris")
    assert await cluster.get("Deployment", NAMESPACE, "iris-v1") is None
    await wait_for_count(cluster, 0)
    assert not is_running(pid)
    assert await cluster.list("EndpointSlice", None) == []


async def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(cluster: LocalCluster) -> None:
    await apply(cluster, deployment(IGNORE_TERM="1"))
    pid = await pid_of(cluster, await wait_for_pod(cluster, is_ready))
    await cluster.delete("Deployment", NAMESPACE, "iris-v1")
    assert await ready_addresses(cluster) == [] or is_running(pid)
    await wait_for_count(cluster, 0)
    assert not is_running(pid)


async def test_a_response_without_end_to_a_probe_does_no_harm(cluster: LocalCluster) -> None:
    await apply(cluster, deployment(SAY="x" * 100_000))
    await wait_for_pod(cluster, is_ready)


async def test_a_flood_of_output_is_bounded_and_said(cluster: LocalCluster, tmp_path: Path) -> None:
    await apply(cluster, deployment(FLOOD_BYTES=str(8 << 20)))
    pod = await wait_for_pod(cluster, is_ready)
    files = list((tmp_path / "cluster" / "logs").rglob("*.log*"))
    assert sum(file.stat().st_size for file in files) <= 2 << 20
    os.kill(await pid_of_flooding(cluster, pod), signal.SIGKILL)
    await wait_for_pod(cluster, lambda pod: container(pod)["restartCount"] == 1)
    text = await cluster.pod_logs(NAMESPACE, pod["metadata"]["name"], tail_lines=100_000)
    assert "bytes dropped" in text


async def pid_of_flooding(cluster: LocalCluster, pod: dict[str, object]) -> int:
    name = pod["metadata"]["name"]  # type: ignore[index]  # an object of the API: a dictionary
    text = await cluster.pod_logs(NAMESPACE, name, tail_lines=100_000)
    return int(next(line for line in text.splitlines() if line.startswith("hello from")).split()[2])


async def serves_at_every_moment(cluster: LocalCluster) -> None:
    assert await ready_addresses(cluster)


async def test_pods_that_do_batch_jobs_leave_the_cpu_to_all_others(cluster: LocalCluster) -> None:
    batch = deployment()
    batch["metadata"]["name"] = "iris-v1-batch"
    batch["spec"]["template"]["metadata"]["labels"] = {LABEL_BATCH_VERSION: "v1"}
    await apply(cluster, batch)
    pid = await pid_of(cluster, await wait_for_pod(cluster, is_ready))
    assert os.getpriority(os.PRIO_PROCESS, pid) == 19
    assert _niceness_of_session(pid) in (19, None)


def _niceness_of_session(pid: int) -> int | None:
    """None: this kernel shares the CPU among processes only."""
    autogroup = Path(f"/proc/{pid}/autogroup")
    return int(autogroup.read_text().rpartition(" ")[2]) if autogroup.exists() else None
