"""How well this process is isolated."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SandboxReport:
    """`level` 2: Landlock and seccomp both hold; 1: one of them; 0: none. `detail` is for people."""

    level: int
    detail: str
