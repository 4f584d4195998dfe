"""What happened to models and jobs, told once: events, and the messages about them."""
