"""Does batch jobs, in a process of its own."""
