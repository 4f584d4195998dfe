"""The schema of the database, and the steps from each release to the next."""
