"""Who may hold a connection to a server that strangers reach, how many, and how long without a word."""
