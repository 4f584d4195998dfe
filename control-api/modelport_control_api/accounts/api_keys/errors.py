"""What can be wrong with a request about an API key."""


class ApiKeyNotFound(Exception):
    """None such, or someone else's: the caller cannot tell which."""


class ApiKeyExpired(Exception):
    pass
