"""How fast things happen here: faster than in Kubernetes, since a person waits and asking costs nothing."""

from dataclasses import dataclass

from modelport_process.backoff import Backoff


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


def restart_backoff(timings: Timings) -> Backoff:
    """Four times as long after each end in a row of a process that had not run well."""
    return Backoff(timings.first_restart, timings.last_restart, factor=4.0)
