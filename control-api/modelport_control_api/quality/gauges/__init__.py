"""Quality for Prometheus: computed in the background, kept in the database, read from there."""
