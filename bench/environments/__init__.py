"""Files of every environment, served there and by the platform's own libraries."""
