"""How fast things happen here: faster than in Kubernetes, since a person waits and asking costs nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timings:
    """All in seconds."""

    starting_probe: float = 0.1
    """Between startup probes, whatever period the template has; its whole time limit is kept."""

    first_restart: float = 0.2
    last_restart: float = 60.0
    ran_well: float = 10.0
    """A process that was ready this long ago starts the back-off anew."""

    longest_grace: float = 10.0
    """Between SIGTERM and SIGKILL, whatever the template asks for."""


def restart_delay(pace: Timings, failures: int) -> float:
    """`failures`: ends in a row without having run well, the last one included."""
    return min(pace.last_restart, pace.first_restart * 4.0 ** min(failures - 1, 16))
