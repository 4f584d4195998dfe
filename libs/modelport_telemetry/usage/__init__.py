"""What gateways report of the requests they answered: its wire format, shared with the control API."""
