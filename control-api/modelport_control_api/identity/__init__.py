"""Who is asking, from where: plain data."""
