"""Where a model's requests may go: immutable routes, and a table of them that two watches keep up to date."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from modelport_crds.mlmodel import Access, Feedback, History, MLModel, RolloutStatus, Sticky, VersionStatus
from modelport_crds.names import public_id
from modelport_store.store import Limit

from modelport_gateway.cache.key import Canonical, cache_scope

Key = tuple[str, str]  # namespace, name


@dataclass(eq=False, slots=True)
class Endpoint:
    """One replica: `host:port` or `unix:/path`. The same object for as long as the address is there, so that
    `in_flight` survives every update of the table."""

    address: str
    in_flight: int = 0
    failures: int = 0
    """Times that it could not be reached in the last seconds: others come first."""


@dataclass(frozen=True, slots=True)
class VersionRoute:
    name: str
    answered: bool
    """It has answered its sample: only such a version ever gets requests."""
    canonical: Canonical
    cache_scope: bytes
    """Digest of all that a response depends on besides the request."""
    endpoints: tuple[Endpoint, ...] = ()
    gives_probabilities: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class RolloutRoute:
    """A rollout that copies requests: `step` is what is counted under, `shadow_percent` the share copied."""

    model: str
    """Its public id."""
    id: int
    step: str
    candidate: str
    baseline: str
    shadow_percent: int


@dataclass(frozen=True, slots=True)
class Route:
    """All that the hot path must know of one model."""

    public_id: str
    uid: str
    owner: str | None
    access: Access
    traffic: tuple[tuple[str, int], ...]
    versions: Mapping[str, VersionRoute]
    cache_ttl_seconds: int | None
    limit: Limit | None
    timeout_seconds: int
    sticky: Sticky | None = None
    """What stays on one version of a split; None: each request is drawn by the weights."""
    history: History | None = None
    """None: no requests are kept."""
    feedback: Feedback | None = None
    """None: nobody will say what is true."""
    rollout: RolloutRoute | None = None
    """None: none goes on, or it copies nothing."""

    @property
    def replicas(self) -> int:
        """Replicas that may be called now, of all versions."""
        return sum(len(version.endpoints) for version in self.versions.values())


@dataclass(frozen=True, slots=True)
class Slice:
    """What one EndpointSlice says: the addresses of one version that may be called now.

    `leaving` are on their way out and still serve: better than nobody, as kube-proxy has it too.
    """

    model: Key
    version: str
    addresses: tuple[str, ...]
    leaving: tuple[str, ...] = ()


@dataclass(slots=True)
class RouteTable:
    """Routes by public id. Written by the watches, read by every request; both on one event loop."""

    models_namespace: str
    _models: dict[Key, MLModel] = field(default_factory=dict)
    _slices: dict[Key, Slice] = field(default_factory=dict)
    _slices_of: dict[Key, dict[Key, Slice]] = field(default_factory=dict)
    """The same slices by model, so that a change of one model costs the same however many there are."""
    _endpoints: dict[Key, dict[tuple[str, str], Endpoint]] = field(default_factory=dict)
    """By model, then by version and address."""
    _routes: dict[str, Route] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def get(self, public_id: str) -> Route | None:
        return self._routes.get(public_id)

    def __len__(self) -> int:
        return len(self._routes)

    async def wait_for_change(self, timeout_seconds: float) -> None:
        """Return when any route changed, or after the time given."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def addresses(self) -> set[str]:
        """Every address that may be called now."""
        return {address for endpoints in self._endpoints.values() for _, address in endpoints}

    def put_model(self, model: MLModel) -> None:
        key = (model.metadata.namespace, model.metadata.name)
        self._models[key] = model
        self._rebuild(key)

    def drop_model(self, key: Key) -> None:
        if self._models.pop(key, None) is not None:
            self._rebuild(key)

    def put_slice(self, key: Key, slice_: Slice) -> None:
        """Replace what an EndpointSlice says, and rebuild the routes of its model and of the one before."""
        if self._slices.get(key) == slice_:
            return
        before = self._slices.get(key)
        if before is not None and before.model != slice_.model:
            self.drop_slice(key)
        # Replaced in one step: the counts of replicas that stay must survive.
        self._slices[key] = slice_
        self._slices_of.setdefault(slice_.model, {})[key] = slice_
        self._rebuild(slice_.model)

    def drop_slice(self, key: Key) -> None:
        """Forget an EndpointSlice, and rebuild its model's route. No error if it is not known."""
        if slice_ := self._slices.pop(key, None):
            of_model = self._slices_of[slice_.model]
            del of_model[key]
            if not of_model:
                del self._slices_of[slice_.model]
            self._rebuild(slice_.model)

    def _rebuild(self, key: Key) -> None:
        id_ = public_id(*key, models_namespace=self.models_namespace)
        model = self._models.get(key)
        endpoints = self._endpoints_of(key)
        # A model that is being deleted serves no more: its pods are on their way out.
        if model is None or model.metadata.deletion_timestamp is not None:
            self._routes.pop(id_, None)
        else:
            self._routes[id_] = build_route(model, id_, endpoints)
        self._changed.set()
        self._changed = asyncio.Event()

    def _endpoints_of(self, key: Key) -> dict[str, tuple[Endpoint, ...]]:
        slices = self._slices_of.get(key, {}).values()
        known = self._endpoints.pop(key, {})
        wanted = sorted(_callable_slices(slices))
        if wanted:
            self._endpoints[key] = {each: known.get(each) or Endpoint(each[1]) for each in wanted}
        by_version: dict[str, tuple[Endpoint, ...]] = {}
        for (version, _), endpoint in self._endpoints.get(key, {}).items():
            by_version[version] = (*by_version.get(version, ()), endpoint)
        return by_version


def _callable_slices(slices: Collection[Slice]) -> set[tuple[str, str]]:
    """Version and address of each replica that gets requests."""
    ready = {(each.version, address) for each in slices for address in each.addresses}
    has_ready = {version for version, _ in ready}
    leaving = {(each.version, address) for each in slices for address in each.leaving}
    return ready | {(version, address) for version, address in leaving if version not in has_ready}


def build_route(model: MLModel, id_: str, endpoints: Mapping[str, tuple[Endpoint, ...]]) -> Route:
    """Return the route of a model as its status and its endpoints are now."""
    spec, status = model.spec, model.status
    versions = {
        name: _version_route(model, id_, name, sha256, endpoints.get(name, ()))
        for name, sha256 in _artifacts(model).items()
    }
    return Route(
        public_id=id_,
        uid=model.metadata.uid or id_,
        owner=spec.owner,
        access=spec.access,
        traffic=tuple((target.version, target.weight) for target in status.traffic),
        versions=MappingProxyType(versions),
        cache_ttl_seconds=spec.cache.ttl_seconds if spec.cache else None,
        limit=Limit(spec.rate_limit.requests, spec.rate_limit.period_seconds) if spec.rate_limit else None,
        timeout_seconds=spec.timeout_seconds,
        sticky=spec.sticky,
        history=spec.history,
        feedback=spec.feedback,
        rollout=_rollout(id_, status.rollout),
    )


def _rollout(model: str, rollout: RolloutStatus | None) -> RolloutRoute | None:
    if rollout is None or rollout.is_over or not rollout.step:
        return None
    return RolloutRoute(
        model, rollout.id, rollout.step, rollout.version, rollout.baseline, rollout.shadow_percent
    )


def _artifacts(model: MLModel) -> dict[str, str]:
    """The sha256 of each version. One that was removed from the spec serves on until traffic has left it."""
    served = {target.version for target in model.status.traffic}
    leaving = {
        each.name: each.digest.removeprefix("sha256:")
        for each in model.status.versions
        if each.name in served
    }
    return leaving | {version.name: version.artifact.sha256 for version in model.spec.versions}


def _version_route(
    model: MLModel, id_: str, name: str, sha256: str, endpoints: tuple[Endpoint, ...]
) -> VersionRoute:
    status = model.status.version(name) or VersionStatus(name=name)
    return VersionRoute(
        name=name,
        answered=status.answered,
        canonical=Canonical.from_signature(status.signature),
        cache_scope=cache_scope(
            model_uid=model.metadata.uid,
            public_id=id_,
            version=name,
            artifact_sha256=sha256,
            template=status.template,
            # What kernels predicted before they were found to differ is not what the model predicts.
            engine=status.engine or "",
            signature=status.signature,
        ),
        endpoints=endpoints,
        gives_probabilities="probabilities" in _outputs(status.signature),
    )


def _outputs(signature: Mapping[str, Any] | None) -> Collection[Any]:
    """The runtime's word, untrusted."""
    outputs = (signature or {}).get("outputs")
    return outputs if isinstance(outputs, list | tuple) else ()
