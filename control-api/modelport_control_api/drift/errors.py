"""What can be wrong with a reference."""

from modelport_control_api.errors import DomainError


class ReferenceInvalid(Exception):
    """The file is no table that can be a reference. The message names line and column, and what to do."""


class ReferenceNotFound(DomainError):
    """The version has none."""

    status = 404
