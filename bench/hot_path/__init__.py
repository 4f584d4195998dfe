"""What a request costs the gateway, beside another checkout of this repository."""
