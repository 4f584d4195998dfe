"""The files of a job: its rows in chunks, their results, and when they go."""
