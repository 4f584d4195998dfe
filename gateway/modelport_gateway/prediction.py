"""The steps of a prediction: whether, which version, within the limit, cached or from the model."""

from collections.abc import Collection
from dataclasses import dataclass

import orjson
from modelport_http.problem import Problem
from modelport_http.rate_limiting import bucket_of, rate_limit_headers, too_many_requests
from modelport_store.store import Limit, LimitResult, Store, StoreUnavailable

from modelport_gateway.auth.authentication import unauthorized
from modelport_gateway.auth.authorization import PREDICT_SCOPE, Caller, Decision, authorize
from modelport_gateway.cache.key import Uncacheable, cache_key
from modelport_gateway.concurrency.single_flight import SingleFlight
from modelport_gateway.metrics import FALLBACKS
from modelport_gateway.outcome import AuthorizedRequest, PredictionRequest, PredictionResponse
from modelport_gateway.request.paths import Call, RequestHeaders
from modelport_gateway.routing.routes import Route, VersionRoute
from modelport_gateway.routing.traffic_split import choose_version
from modelport_gateway.upstream.dispatch import Dispatch, no_ready_version
from modelport_gateway.upstream.replica import INFER_PATH, UpstreamCall, UpstreamResponse

_LIMIT_NAME = "predict"
UPSTREAM_PATHS = {
    Call.PREDICT: "/predict",
    Call.INFER: INFER_PATH,
    Call.METADATA: "/v2",
    Call.CONFIG: "/v2/config",
}


@dataclass(slots=True, eq=False)
class CacheUse:
    """How one request uses the cache. `key` None: not at all."""

    key: bytes | None = None
    read: bool = False
    """Whether a response that is kept will do."""


def authorized_request(route: Route | None, caller: Caller | None, address: str) -> AuthorizedRequest:
    """Return who calls what. Raises Problem 401, 403 or 404."""
    decision = authorize(route, caller)
    if route is None or decision is not Decision.ALLOWED:
        raise _refusal(decision)
    return AuthorizedRequest(route, caller_id_of(caller, address))


def chosen_version(request: PredictionRequest, authorized: AuthorizedRequest) -> VersionRoute:
    """Return the version that the request is for. Raises Problem 404 or 503."""
    route, name = authorized.route, request.target.version
    if name is not None and name not in route.versions:
        raise Problem(status=404, detail=f"The model {route.public_id} has no version {name}.")
    if name is None:
        # Most models ask for nothing to stick: their requests pay for no look at a header.
        sticky_to = kept_by(request, route.sticky, authorized.caller_id) if route.sticky else None
        name = choose_version(route.traffic, model_uid=route.uid, sticky_to=sticky_to)
    version = route.versions.get(name) if name else None
    # Also for traffic: what status says and what has answered must agree before anything is sent.
    if version is None or not version.answered:
        raise no_ready_version(route.public_id)
    return version


class Prediction:
    def __init__(
        self,
        dispatch: Dispatch,
        store: Store,
        *,
        default_limit: Limit,
        cache_max_request_bytes: int,
        cache_max_answer_bytes: int,
    ) -> None:
        self._dispatch = dispatch
        self._store = store
        self._default_limit = default_limit
        self._cache_max_request_bytes = cache_max_request_bytes
        self._cache_max_answer_bytes = cache_max_answer_bytes
        self._flights: SingleFlight[UpstreamResponse] = SingleFlight()

    async def predict(
        self,
        request: PredictionRequest,
        authorized: AuthorizedRequest,
        version: VersionRoute,
        body: bytes | None,
        *,
        json_bytes: int | None = None,
    ) -> PredictionResponse:
        """Return the prediction. Raises Problem for everything else.

        `json_bytes`: the length of the JSON in front of binary tensors; None: the body is JSON as a whole.
        """
        if request.target.call is Call.READY:
            return _ready(request, authorized.route, version)
        cache = self._cache_use(request, authorized.route, version, body)
        taken, kept = await self._acquire_and_get(authorized, cache)
        limit_headers = rate_limit_headers(_LIMIT_NAME, taken) if taken else {}
        if kept is not None:
            return PredictionResponse(kept, version.name, "hit", headers=limit_headers)
        try:
            response = await self._call_model(
                request, authorized.route, version, cache, body, json_bytes=json_bytes
            )
        except Problem as problem:
            raise _with_headers(problem, limit_headers) from problem
        return PredictionResponse(
            response.body,
            version.name,
            "miss" if cache.key else "bypass",
            response.seconds,
            headers=limit_headers,
            json_bytes=response.json_bytes,
        )

    def _cache_use(
        self, request: PredictionRequest, route: Route, version: VersionRoute, body: bytes | None
    ) -> CacheUse:
        small = body is not None and len(body) <= self._cache_max_request_bytes
        if (
            route.cache_ttl_seconds is None
            or request.target.call is not Call.PREDICT
            or not small
            or body is None
        ):
            return CacheUse()
        directives = _cache_control(request.headers)
        if "no-store" in directives:
            return CacheUse()
        try:
            key = cache_key(version.cache_scope, version.canonical, body)
        except Uncacheable:
            return CacheUse()
        return CacheUse(key, read="no-cache" not in directives)

    async def _acquire_and_get(
        self, authorized: AuthorizedRequest, cache: CacheUse
    ) -> tuple[LimitResult | None, bytes | None]:
        limit = authorized.route.limit or self._default_limit
        # A model's own limit counts for it alone; the default counts requests to all other models together.
        name = f"{_LIMIT_NAME}:{authorized.route.uid}" if authorized.route.limit else _LIMIT_NAME
        try:
            taken, kept = await self._store.acquire_and_get(
                bucket_of(name, authorized.caller_id), limit, cache.key if cache.read else None
            )
        except StoreUnavailable:
            FALLBACKS.labels("store").inc()
            return None, None
        if taken is not None and not taken.allowed:
            raise too_many_requests(_LIMIT_NAME, taken)
        return taken, kept

    async def _call_model(
        self,
        request: PredictionRequest,
        route: Route,
        version: VersionRoute,
        cache: CacheUse,
        body: bytes | None,
        *,
        json_bytes: int | None,
    ) -> UpstreamResponse:
        call = UpstreamCall(
            request.target.call.method,
            UPSTREAM_PATHS[request.target.call],
            body,
            request.request_id,
            json_bytes,
        )
        # A caller who wants a new response does not share one that is already in flight.
        if cache.key is None or not cache.read:
            return await self._call_and_cache(route, version, cache, call)
        return await self._flights.run(cache.key, lambda: self._call_and_cache(route, version, cache, call))

    async def _call_and_cache(
        self, route: Route, version: VersionRoute, cache: CacheUse, call: UpstreamCall
    ) -> UpstreamResponse:
        response = await self._dispatch.send(route, version.name, call)
        fits = len(response.body) <= self._cache_max_answer_bytes
        if cache.key is not None and fits and route.cache_ttl_seconds is not None:
            # The caller does not wait for it; commands of one gateway reach the store in their order.
            self._store.put_nowait(cache.key, response.body, route.cache_ttl_seconds)
        return response


def _ready(request: PredictionRequest, route: Route, version: VersionRoute) -> PredictionResponse:
    if not version.endpoints:
        raise no_ready_version(route.public_id)
    return PredictionResponse(orjson.dumps({"name": request.target.model, "ready": True}), version.name)


def kept_by(request: PredictionRequest, sticky: str, caller_id: str) -> str | None:
    """Return what keeps it on one version of a sticky model's split; None: it is drawn by the weights."""
    session = request.headers.get(b"x-modelport-session")
    return session or (caller_id if sticky == "caller" else None)


def caller_id_of(caller: Caller | None, address: str) -> str:
    """Two name spaces: a user id can never be another client's address."""
    return f"user:{caller.user_id}" if caller else f"address:{address}"


def _with_headers(problem: Problem, headers: dict[str, str]) -> Problem:
    # A new one: callers who shared a call share its problem, and each has a limit of their own.
    return Problem(
        status=problem.status,
        title=problem.title,
        detail=problem.detail,
        reason=problem.reason,
        errors=problem.errors,
        headers={**headers, **problem.headers},
    )


def _cache_control(headers: RequestHeaders) -> Collection[str]:
    if not headers.has(b"cache-control"):
        return ()
    return {part.strip().lower() for value in headers.all(b"cache-control") for part in value.split(",")}


def _refusal(decision: Decision) -> Problem:
    if decision is Decision.NEEDS_CREDENTIAL:
        detail = "Send a credential: Authorization: Bearer <access token or API key>, or X-API-Key: <key>."
        return unauthorized(detail, bad_credential=False)
    if decision is Decision.NEEDS_SCOPE:
        return Problem(
            status=403, detail=f"The API key lacks the scope `{PREDICT_SCOPE}`; create one that has it."
        )
    return Problem(status=404, detail="There is no such model, or it is not yours.")
