"""Who calls, and which models they may call."""
