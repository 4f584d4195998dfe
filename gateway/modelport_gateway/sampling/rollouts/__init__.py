"""What a rollout is decided by: copies of requests, and what callers had of each version."""
