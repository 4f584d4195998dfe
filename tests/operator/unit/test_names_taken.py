"""What has a name that a version needs and is not the model's is never touched, whenever it came."""

import copy
from typing import Any

import pytest
from modelport_kube.kube import RESOURCES, Conflict, Object

from tests.operator.unit.harness import KEY, Harness
from tests.support.builders import a_model
from tests.support.fake_kube import FakeKube

KINDS = ("ServiceAccount", "NetworkPolicy", "Service", "PodDisruptionBudget", "Deployment")
LABELS = {
    "app.kubernetes.io/managed-by": "modelport",
    "serving.modelport.dev/model": "iris",
    "serving.modelport.dev/version": "v1",
}


def _foreign(kind: str, name: str = "iris-v1", **metadata: Any) -> Object:
    given = {"name": name, "namespace": KEY.namespace, "uid": f"uid-of-foreign-{kind}", **metadata}
    return {"apiVersion": RESOURCES[kind], "kind": kind, "metadata": given, "spec": {"theirs": True}}


def _owner(uid: str, name: str = "iris", kind: str = "MLModel", *, controller: bool = True) -> Object:
    return {"kind": kind, "name": name, "uid": uid, "controller": controller}


async def _settled(foreign: Object, model: Any = None) -> Harness:
    harness = Harness()
    harness.kube.put(foreign)
    await harness.submit(model or a_model().replicas(2))
    await harness.settle()
    return harness


async def _is_untouched(harness: Harness, foreign: Object) -> bool:
    found = await harness.kube.get(foreign["kind"], KEY.namespace, foreign["metadata"]["name"])
    assert found is not None
    return {**found, "metadata": {**found["metadata"], "resourceVersion": ""}} == {
        **foreign,
        "metadata": {**foreign["metadata"], "resourceVersion": ""},
    }


async def _serves(harness: Harness) -> bool:
    await harness.settle()
    await harness.play("v1")
    await harness.settle()
    return harness.traffic() == {"v1": 100} and harness.version("v1")["reason"] == "Serving"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("labels", [{}, LABELS], ids=["", "with our labels"])
async def test_the_version_waits_and_says_what_is_in_its_way(kind: str, labels: dict[str, str]) -> None:
    foreign = _foreign(kind, labels=labels)
    harness = await _settled(foreign)
    assert await _is_untouched(harness, foreign)
    assert harness.version("v1")["reason"] == harness.condition("Ready")["reason"] == "NameTaken"
    message = str(harness.version("v1")["message"])
    assert message.startswith(
        f"The {kind} iris-v1 that is there already is not this model's. Delete that object"
    )
    assert harness.version("v1").get("failed", False) is False
    assert [name for name in harness.kube.names("Deployment") if kind != "Deployment"] == [], (
        "no pod of it runs"
    )
    assert await harness.reconcile() == 5.0, "nothing tells that it has gone"
    harness.kube.remove(kind, "iris-v1")
    assert await _serves(harness)


async def test_other_versions_are_served_meanwhile() -> None:
    harness = await _settled(_foreign("Service", "iris-v2"), a_model().versions("v1", "v2").traffic(v2=100))
    await harness.play("v1")
    await harness.settle()
    assert harness.version("v1")["reason"] == "Serving"
    assert harness.version("v2")["reason"] == "NameTaken"


async def test_a_model_deleted_with_its_name_taken_leaves_the_object() -> None:
    foreign = _foreign("Service", labels=LABELS)
    harness = await _settled(foreign)
    await harness.kube.delete("MLModel", KEY.namespace, KEY.name)
    await harness.reconcile()
    assert await _is_untouched(harness, foreign)


async def test_a_version_taken_out_of_the_spec_leaves_what_was_never_its_own() -> None:
    foreign = _foreign("Service", labels=LABELS)
    harness = await _settled(foreign)
    await harness.submit(a_model().versions("v2").traffic(v2=100))
    await harness.settle()
    assert await _is_untouched(harness, foreign)
    assert harness.kube.names("ServiceAccount") == ("iris-v2",)


async def test_objects_of_an_earlier_model_of_the_name_are_waited_for() -> None:
    left = _foreign("Deployment", labels=LABELS, ownerReferences=[_owner("uid-of-the-earlier-one")])
    harness = await _settled(left)
    assert await _is_untouched(harness, left)
    assert harness.version("v1")["reason"] == "Progressing"
    assert "of an earlier model of this name" in str(harness.version("v1")["message"])
    harness.kube.remove("Deployment", "iris-v1")
    assert await _serves(harness)


@pytest.mark.parametrize(
    "owners",
    [
        [_owner("uid-x", "other")],
        [_owner("uid-x", "iris", "Release")],
        [_owner("uid-iris", controller=False)],
    ],
    ids=["another model's", "another kind's", "ours without being its controller"],
)
async def test_what_somebody_else_controls_is_not_ours(owners: list[Object]) -> None:
    foreign = _foreign("Service", labels=LABELS, ownerReferences=owners)
    harness = await _settled(foreign)
    assert await _is_untouched(harness, foreign)
    assert harness.version("v1")["reason"] == "NameTaken"


async def test_ours_without_its_labels_is_put_right() -> None:
    harness = Harness()
    await harness.submit(a_model())
    await harness.settle()
    service = await harness.kube.get("Service", KEY.namespace, "iris-v1")
    assert service is not None
    harness.kube.put({**service, "metadata": {**service["metadata"], "labels": {}}})
    await harness.settle()
    mended = await harness.kube.get("Service", KEY.namespace, "iris-v1")
    assert mended is not None
    assert mended["metadata"]["labels"]["serving.modelport.dev/model"] == "iris"
    assert mended["metadata"]["uid"] == service["metadata"]["uid"]


async def test_a_serving_version_that_loses_a_name_serves_on_and_says_so() -> None:
    harness = Harness()
    await harness.submit(a_model())
    assert await _serves(harness)
    await harness.submit(a_model().replicas(2))
    foreign = _foreign("PodDisruptionBudget")
    harness.kube.put(foreign)
    await harness.settle()
    assert await _is_untouched(harness, foreign)
    assert harness.traffic() == {"v1": 100}
    assert harness.condition("Ready")["status"] == "True"
    assert (harness.condition("Degraded")["status"], harness.condition("Degraded")["reason"]) == (
        "True",
        "NameTaken",
    )


class _Racing(FakeKube):
    """Somebody is quicker between what the pass saw and what it writes."""

    def __init__(self) -> None:
        super().__init__()
        self.quicker: Object | None = None

    def _race(self, kind: str, name: str) -> None:
        if self.quicker is not None and (self.quicker["kind"], self.quicker["metadata"]["name"]) == (
            kind,
            name,
        ):
            quicker, self.quicker = self.quicker, None
            self.put(quicker)

    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        self._race(obj["kind"], obj["metadata"]["name"])
        return await super().apply(obj, field_manager=field_manager)

    async def create(self, obj: Object, *, field_manager: str) -> Object:
        self._race(obj["kind"], obj["metadata"]["name"])
        return await super().create(obj, field_manager=field_manager)

    async def delete(self, kind: str, namespace: str, name: str, *, uid: str = "") -> None:
        self._race(kind, name)
        await super().delete(kind, namespace, name, uid=uid)


async def test_a_name_taken_before_the_first_write_is_not_touched() -> None:
    kube = _Racing()
    kube.quicker = foreign = _foreign("Deployment")
    harness = Harness(kube=kube)
    await harness.submit(a_model())
    await harness.settle()
    assert await _is_untouched(harness, foreign)
    assert harness.version("v1")["reason"] == "NameTaken"


@pytest.mark.parametrize("change", ["apply", "delete"])
async def test_a_name_exchanged_before_a_later_write_is_not_touched(change: str) -> None:
    kube = _Racing()
    harness = Harness(kube=kube)
    await harness.submit(a_model().replicas(2))
    await harness.settle()
    budget = copy.deepcopy(await kube.get("PodDisruptionBudget", KEY.namespace, "iris-v1"))
    assert budget is not None
    if change == "apply":
        kube.put({**budget, "spec": {"edited": True}})
    else:
        await harness.submit(a_model().replicas(1))
    kube.quicker = foreign = _foreign("PodDisruptionBudget")
    with pytest.raises(Conflict):
        await harness.settle()
    assert await _is_untouched(harness, foreign)
