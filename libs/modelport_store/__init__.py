"""Short-lived state that replicas share: token buckets, cached responses, known keys."""
