"""The usage ledger: what was answered, exactly once, by minute, hour and day."""
