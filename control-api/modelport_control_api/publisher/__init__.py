"""From what users asked for (the database) to what is served (the cluster), and the status back."""
