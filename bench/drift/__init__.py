"""`make bench-drift`: false alarms and power of data drift."""
