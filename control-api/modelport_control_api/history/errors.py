"""What can be wrong with a request about kept predictions."""

from modelport_control_api.errors import DomainError


class PredictionNotFound(DomainError):
    """None such, or one of someone else's model: the caller cannot tell which."""

    status = 404
    message = "No such prediction is kept: list them with GET /api/v1/predictions?model_id=…."
