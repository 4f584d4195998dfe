"""What can be wrong with a call on webhooks."""

from modelport_control_api.errors import DomainError


class WebhookNotFound(DomainError):
    """None such, or someone else's: the same to the caller."""

    status = 404
    message = "No such webhook: list yours with GET /api/v1/webhooks."


class TooManyWebhooks(DomainError):
    """The user has as many as are allowed."""

    status = 409


class WebhookOff(DomainError):
    """Nothing is sent to it."""

    status = 409
    message = 'The webhook is off: PATCH it with {"enabled": true} first.'
