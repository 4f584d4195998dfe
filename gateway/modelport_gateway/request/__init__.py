"""What a request is: its path, headers and bounded body."""
