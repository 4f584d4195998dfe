"""A cluster in memory, runtimes by script and a clock that stands still, with the pods that a test plays."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from modelport_crds.mlmodel import SampleAnswer
from modelport_crds.names import ANNOTATION_TEMPLATE
from modelport_kube.kube import Object
from modelport_operator.core.observed.probe_results import RuntimeStatus, SampleRefused
from modelport_operator.settings import Settings
from modelport_operator.shell.bundles import Bundles
from modelport_operator.shell.reconcile import Key, reconcile

from tests.support.builders import ModelBuilder, PodBuilder, a_pod
from tests.support.fake_kube import FakeKube

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
KEY = Key("modelport-models", "iris")
READY = RuntimeStatus(state="ready", signature={"task": "classifier"}, sandbox={"level": 2})
PREDICTION = SampleAnswer(body='{"prediction":1}', sha256="ab" * 32)


def settings(**changes: object) -> Settings:
    facts: dict[str, object] = {"artifact_base_url": "file:///artifacts/sha256/{prefix}/{sha256}", **changes}
    return Settings.model_validate(facts)


class StandingClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class ScriptedRuntimes:
    """What each address says; `asked` counts the samples. `answers`: to one body, before `samples`."""

    statuses: dict[str, RuntimeStatus | None] = field(default_factory=dict)
    samples: dict[str, SampleAnswer | SampleRefused | None] = field(default_factory=dict)
    answers: dict[tuple[str, bytes], SampleAnswer | SampleRefused | None] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)
    statuses_asked: list[str] = field(default_factory=list)

    async def status(self, address: str) -> RuntimeStatus | None:
        self.statuses_asked.append(address)
        return self.statuses.get(address.removesuffix(":8080"), READY)

    async def predict(self, address: str, body: bytes) -> SampleAnswer | SampleRefused | None:
        self.asked.append(body)
        host = address.removesuffix(":8080")
        return self.answers.get((host, body), self.samples.get(host, PREDICTION))


@dataclass
class Harness:
    kube: FakeKube = field(default_factory=FakeKube)
    runtimes: ScriptedRuntimes = field(default_factory=ScriptedRuntimes)
    settings: Settings = field(default_factory=settings)
    bundles: Bundles | None = None

    async def submit(self, model: ModelBuilder) -> None:
        await self.kube.apply(model.manifest(), field_manager="kubectl")

    async def reconcile(self, *, check_engines: bool = False) -> float | None:
        return await reconcile(
            self.kube,
            self.runtimes,
            KEY,
            self.settings,
            StandingClock(),
            check_engines=check_engines,
            bundles=self.bundles,
        )

    async def settle(self) -> None:
        """Pass after pass until one writes nothing."""
        for _ in range(10):
            before = len(self.kube.writes)
            await self.reconcile()
            if len(self.kube.writes) == before:
                return
        raise AssertionError(f"it never settles: {self.kube.writes[-6:]}")

    async def deployment(self, version: str) -> Object:
        found = await self.kube.get("Deployment", KEY.namespace, f"iris-{version}")
        assert found is not None
        return found

    async def template(self, version: str) -> str:
        deployment = await self.deployment(version)
        template: str = deployment["spec"]["template"]["metadata"]["annotations"][ANNOTATION_TEMPLATE]
        return template

    async def play(self, version: str, pod: PodBuilder | None = None, *, address: str = "10.0.0.1") -> None:
        """Let the version's pod be so; its address is how the script knows it."""
        shown = (pod or a_pod().ready()).of("iris", version).of_template(await self.template(version))
        built = shown.owned_by((await self.deployment(version))["metadata"]["uid"]).build()
        built["status"]["podIP"] = address
        self.kube.put(built)

    def traffic(self) -> dict[str, int]:
        return {each["version"]: each["weight"] for each in self.kube.status().get("traffic", ())}

    def version(self, name: str) -> dict[str, object]:
        return next(each for each in self.kube.status()["versions"] if each["name"] == name)

    def condition(self, type_: str) -> dict[str, object]:
        return next(each for each in self.kube.status()["conditions"] if each["type"] == type_)
