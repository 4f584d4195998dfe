"""Payloads that make a system call which Python has no function for."""

import platform

from tests.runtime.integration.hostile import payloads


def system_calls() -> dict[str, str]:
    """Return the source of each by its name; none where the numbers are another processor's."""
    if platform.machine() != "x86_64":
        return {}
    calls = {name: repr(call) for name, call in payloads.CALLS.items()}
    calls |= payloads.CALLS_ON_THE_FRONT | payloads.CALLS_ON_SHARED_MEMORY
    return {name: payloads.SYSTEM_CALL.replace("CALL", call) for name, call in calls.items()}
