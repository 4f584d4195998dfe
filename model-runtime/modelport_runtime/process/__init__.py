"""What both processes inherit, watch and end with."""
