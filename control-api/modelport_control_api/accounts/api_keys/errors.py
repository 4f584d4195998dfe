"""What can be wrong with a request about an API key."""

from modelport_crds.reasons import Reason

from modelport_control_api.errors import DomainError


class ApiKeyNotFound(DomainError):
    """None such, or someone else's: the caller cannot tell which."""

    status = 404
    message = "No such API key: list yours with GET /api/v1/api-keys."


class ApiKeyExpired(DomainError):
    status = 409
    message = "The API key has expired and cannot be rotated: make a new one."


class ApiKeyLimitReached(DomainError):
    status = 409
    reason = Reason.API_KEY_LIMIT_REACHED

    def __init__(self, held: int, most: int) -> None:
        super().__init__(
            f"The account holds {held} of the {most} API keys that it may; those that have expired do not "
            "count. Revoke keys that nobody uses, or ask an administrator of the platform for more."
        )
