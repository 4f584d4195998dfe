"""The process that does batch jobs, as a child of the platform."""
