"""Looking at completed requests for history and drift, after their callers have their responses."""
