"""From a framework's own description of a network to nodes. None of them needs its framework."""
