"""The usage ledger and the way to it, on both databases and a real Redis."""
