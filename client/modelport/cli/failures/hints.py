"""What to type after an error: commands that work as they are printed, once their names are filled in."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from modelport import credentials
from modelport.cli.typed import typed
from modelport.errors import (
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    JobFailed,
    ModelFailed,
    ModelportError,
    NotFound,
    NotReadyInTime,
    SignatureChanged,
    Unauthorized,
)
from modelport.job import Job
from modelport.models import Model, Version
from modelport.transport.connection import is_this_machine

API_KEY = "MODELPORT_API_KEY"
_LACKS_SCOPE = re.compile(r"lacks the scope `?([a-z]+(?::[a-z]+)?)")
# An account's end. Limits begin the same: "The account holds 200 models; …".
_ENDS_ACCOUNT = re.compile(r"^/api/v1/(?:auth/me/delete|admin/users/[^/]+)$")
_ROLLOUT_ON = re.compile(r"^Rollout (\d+) of \S+ is going on")
_MODEL = re.compile(r"^/(?:api/v1/(?:models|analytics/models)|predict)/([^/]+)")


def headline(error: ModelportError) -> str:
    """What happened. The platform's own text tells a caller without credentials of HTTP headers."""
    if isinstance(error, Unauthorized) and error.anonymous and not _is_login(error):
        return f"You are not logged in to {error.platform}."
    if isinstance(error, SignatureChanged) and error.differences:
        return f"No traffic was moved: callers depend on what {_and(error.differences)} lacks or changes."
    if _holds_models(error):
        # How to go on is said in the words of HTTP.
        return f"{error.detail.partition('. ')[0]}."
    if isinstance(error, Conflict) and _ROLLOUT_ON.match(error.detail):
        return f"{error.detail.partition(' (POST ')[0]}."
    return error.detail


def _holds_models(error: ModelportError) -> bool:
    ends_account = isinstance(error, Conflict) and _ENDS_ACCOUNT.match(error.path) is not None
    return ends_account and error.detail.startswith("The account holds ")


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)


def next_step(error: ModelportError) -> str:
    """What to do; empty where the platform's text says it."""
    if ("advice" in vars(error) and not _is_login(error)) or not error.platform:
        return error.advice
    hint = _BY_KIND.get(type(error))
    return hint(error) if hint else error.advice


def _is_login(error: ModelportError) -> bool:
    return error.path == "/api/v1/auth/login"


def _unauthorized(error: ModelportError) -> str:
    if _is_login(error):
        register = typed("register EMAIL", error.platform)
        return f"Check both, or make an account: {register}. An administrator can let you set a new password."
    if os.environ.get(API_KEY):
        return f"It is in {API_KEY}: set that to another one, or log in instead: {_log_in(error)}."
    return f"Log in: {_log_in(error)}; or set {API_KEY} to an API key.{_whose_password(error)}"


def _forbidden(error: ModelportError) -> str:
    """A login may do all that its user may; keys are made by one that is logged in."""
    if "API key" not in error.detail:
        return ""
    lacking = _LACKS_SCOPE.search(error.detail)
    then = "" if lacking is None else _make_key(error, lacking[1])
    return f"Log in instead of using this key: {_log_in(error)}.{then}{_whose_password(error)}"


def _make_key(error: ModelportError, scope: str) -> str:
    create = typed(f"keys create NAME --scope {scope}", error.platform)
    return f"\nThen {create} makes a key that may do this too."


def _log_in(error: ModelportError) -> str:
    login = typed("login EMAIL", error.platform)
    # The CLI would go on using the key.
    return f"`unset {API_KEY}`, then {login}" if os.environ.get(API_KEY) else login


def _whose_password(error: ModelportError) -> str:
    """`modelport up` made the account whose key it left here."""
    kept = credentials.load(error.platform)
    if not is_this_machine(error.platform) or (kept is not None and not kept.api_key):
        return ""
    return "\n`modelport up` printed the e-mail address of its account and where the password is."


def _conflict(error: ModelportError) -> str:
    if going := _ROLLOUT_ON.match(error.detail):
        steered = typed(f"rollout cancel {_model_of(error)} {going[1]}", error.platform)
        shown = typed(f"rollout status {_model_of(error)} {going[1]}", error.platform)
        return f"{shown} shows how it goes; {steered} ends it."
    if not _holds_models(error):
        return ""
    if error.path.endswith("/auth/me/delete"):
        return "--delete-models deletes them, too; an administrator can give them to another account first."
    return "--models-to USER gives them to another account, --delete-models deletes them, too."


_LISTS = {
    "/api/v1/jobs": ("jobs list", "yours"),
    "/api/v1/admin/users": ("users list", "all"),
    "/api/v1/api-keys": ("keys list", "yours"),
    "/api/v1/webhooks": ("webhooks list", "yours"),
}


def _not_found(error: ModelportError) -> str:
    platform, path = error.platform, error.path
    for start, (words, shown) in _LISTS.items():
        if path.startswith(start):
            return f"{typed(words, platform)} shows {shown}."
    if error.detail.startswith("No importance "):
        computed = typed(f"importance {_model_of(error)} --history", platform)
        return f"{computed} computes it of kept predictions."
    for word, command in (("rollout", "rollout"), ("experiment", "experiments")):
        if f" {word} " in error.detail:
            return f"{typed(f'{command} list {_model_of(error)}', platform)} shows its {word}s."
    if " version " in error.detail:
        return f"{typed(f'versions {_model_of(error)}', platform)} shows its versions."
    return f"Check the id: {typed('list', platform)} shows your models."


def _connection_failed(error: ModelportError) -> str:
    other = "MODELPORT_URL or --url names another."
    if "CERTIFICATE_VERIFY_FAILED" in error.detail:
        return "Where its certificate is your own, SSL_CERT_FILE=FILE.pem before the command accepts it."
    if "SSL" in error.detail:
        return f"It may not speak HTTPS: then its address begins with http://. {other}"
    if is_this_machine(error.platform):
        return f"Is the platform running there? {typed('up', '')} starts one here; {other}"
    return f"Is the address right, and the platform running there? {other}"


def _model_failed(error: Any) -> str:
    model, version = _model_of(error), _failed_version(error.failed)
    pinned = f" --version {error.failed.name}" if isinstance(error.failed, Version) else ""
    log = typed(f"logs {model}{pinned}", error.platform)
    replacing = typed(f"upload FILE --to {model} --replace {version}", error.platform)
    retried = typed(f"retry {model} --sample JSON", error.platform)
    return (
        f"{log} shows what its code printed.\n"
        f"{replacing} puts a corrected file in its place; with another sample for this one: {retried}."
    )


def _failed_version(failed: Model | Version) -> str:
    return failed.name if isinstance(failed, Version) else failed.newest_failed or "VERSION"


def _signature_changed(error: Any) -> str:
    model, version = _model_of(error), next(iter(error.differences), "VERSION")
    tried = typed(f"predict {model} --version {version}", error.platform)
    is_experiment = error.path.endswith("/experiments")
    words = (
        f"experiments start {model} VERSION=PERCENT…" if is_experiment else f"traffic {model} {version}=100"
    )
    forced = typed(f"{words} --force", error.platform)
    return f"Try it first: {tried}. To send it the requests all the same: {forced}."


def _job_failed(error: Any) -> str:
    job = error.job
    saved = f"; {typed(f'jobs fetch {job.id} --partial --output FILE.csv', error.platform)} saves what it did"
    return f"{typed(f'jobs retry {job.id}', error.platform)} tries again{saved if job.rows_done else ''}."


def _not_ready_in_time(error: Any) -> str:
    found = error.waited_for
    words = f"jobs show {found.id} --wait" if isinstance(found, Job) else f"status {_model_of(error)} --wait"
    return f"It goes on: {typed(words, error.platform)} waits again."


def _model_of(error: ModelportError) -> str:
    found = _MODEL.match(error.path)
    return unquote(found[1]) if found else "MODEL"


def _invalid(error: ModelportError) -> str:
    """An input that the model does not take."""
    if not error.errors or not error.path.startswith("/predict/"):
        return ""
    return f"{typed(f'status {_model_of(error)}', error.platform)} shows what the model takes."


_BY_KIND: Mapping[type[ModelportError], Callable[[Any], str]] = {
    Unauthorized: _unauthorized,
    Forbidden: _forbidden,
    InvalidRequest: _invalid,
    Conflict: _conflict,
    NotFound: _not_found,
    ConnectionFailed: _connection_failed,
    ModelFailed: _model_failed,
    JobFailed: _job_failed,
    NotReadyInTime: _not_ready_in_time,
    SignatureChanged: _signature_changed,
}
