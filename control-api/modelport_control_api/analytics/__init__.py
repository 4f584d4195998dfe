"""Questions to the usage ledger."""
