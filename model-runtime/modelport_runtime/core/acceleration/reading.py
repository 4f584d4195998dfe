"""From a plan's bytes, which a hostile model may have written, to kernels."""

import warnings

from modelport_runtime.core.acceleration.backend import KernelBackend
from modelport_runtime.core.acceleration.plan import decode
from modelport_runtime.core.acceleration.validation import validate
from modelport_runtime.core.backends.base import Backend


def read_plan(data: bytes) -> Backend:
    """Make a backend of a plan that a hostile model may have written. Raises `PlanRefused`."""
    plan = decode(data)
    validate(plan)
    # What overflows is refused or is an answer, as with the original; in the log it tells nobody anything.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module=__package__)
    return KernelBackend(plan)
