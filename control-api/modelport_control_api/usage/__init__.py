"""The usage ledger: every request, exactly once, by minute, hour and day."""
