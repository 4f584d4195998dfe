"""The limits of this platform in words, for its administrators."""

from dataclasses import dataclass

from modelport_control_api.accounts.sessions import web_sessions
from modelport_control_api.settings.control_api import Settings
from modelport_control_api.ui.shown import duration, size


@dataclass(frozen=True)
class LimitLine:
    """`setting` None: it is fixed."""

    what: str
    value: str
    setting: str | None


def limits_in_force(settings: Settings) -> list[LimitLine]:
    prefix = "MODELPORT_CONTROL_API_"
    idle, whole = web_sessions.IDLE_LIFE, web_sessions.WHOLE_LIFE
    return [
        LimitLine("Registrations per address", str(settings.limit_register), "MODELPORT_LIMIT_REGISTER"),
        LimitLine(
            "Wrong passwords per account and address", str(settings.limit_login), "MODELPORT_LIMIT_LOGIN"
        ),
        LimitLine(
            "Wrong passwords per address that is new to the account",
            str(settings.limit_login_elsewhere),
            "MODELPORT_LIMIT_LOGIN_ELSEWHERE",
        ),
        LimitLine("Uploads per user", str(settings.limit_upload), "MODELPORT_LIMIT_UPLOAD"),
        LimitLine("Registration", settings.registration, f"{prefix}REGISTRATION"),
        LimitLine("Models of a user", f"{settings.user_max_models:,}", f"{prefix}USER_MAX_MODELS"),
        LimitLine("API keys of a user", f"{settings.user_max_api_keys:,}", f"{prefix}USER_MAX_API_KEYS"),
        LimitLine("Files of a user", size(settings.user_max_bytes), f"{prefix}USER_MAX_BYTES"),
        LimitLine("Size of a model file", size(settings.max_upload_bytes), "MODELPORT_MAX_UPLOAD_BYTES"),
        LimitLine("Predictions per caller", "set at the gateway", "MODELPORT_LIMIT_PREDICT"),
        LimitLine("Size of a JSON body", size(settings.max_json_bytes), f"{prefix}MAX_JSON_BYTES"),
        LimitLine(
            "Life of an access token",
            duration(settings.access_token_seconds),
            f"{prefix}ACCESS_TOKEN_SECONDS",
        ),
        LimitLine(
            "Life of an API session",
            f"{settings.refresh_token_seconds // 86_400} days after its last refresh",
            f"{prefix}REFRESH_TOKEN_SECONDS",
        ),
        LimitLine(
            "Life of a browser's session",
            f"{idle.total_seconds() / 3600:.0f} hours without use, {whole.days} days in all",
            None,
        ),
    ]
