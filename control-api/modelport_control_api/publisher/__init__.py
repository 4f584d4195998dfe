"""From what users want (the database) to what is served (the cluster), and the status back."""
