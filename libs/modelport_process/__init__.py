"""How a process of the platform starts, logs and works in the background."""
