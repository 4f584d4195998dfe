"""What can be wrong with a request about an API key."""

from modelport_control_api.errors import DomainError


class ApiKeyNotFound(DomainError):
    """None such, or someone else's: the caller cannot tell which."""

    status = 404
    message = "No such API key: list yours with GET /api/v1/api-keys."


class ApiKeyExpired(DomainError):
    status = 409
    message = "The API key has expired and cannot be rotated: make a new one."
