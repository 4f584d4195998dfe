"""The pods that do batch jobs of a version: how many there should be, and where they are."""
