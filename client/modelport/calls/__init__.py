"""Every call of the platform as a flow: what is sent, and what the response is read as."""
