"""The process that does batch jobs: any number of it, each to be killed at any moment."""
