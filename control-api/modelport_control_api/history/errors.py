"""What can be wrong with a request about kept predictions."""


class PredictionNotFound(Exception):
    """None such, or one of someone else's model: the caller cannot tell which."""
