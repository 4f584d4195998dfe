"""Models and their versions as the database has them: what users upload, change and delete."""
