"""What gateways report of the requests they served: its wire format, shared with the control API."""
