"""`make bench-analytics`: calls over ten million minute rows."""
