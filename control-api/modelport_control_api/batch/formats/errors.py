"""Why an input is no input. A single bad row is none of this: it becomes an error row."""

from modelport_crds.reasons import Reason

from modelport_control_api.errors import DomainError


class InputInvalid(DomainError):
    """The message says what is wrong, where, and what to do."""

    status = 422
    reason = Reason.INPUT_INVALID
    field = "file"


class InputTooLarge(InputInvalid):
    """More of it than may be decoded: what was made of it goes."""
