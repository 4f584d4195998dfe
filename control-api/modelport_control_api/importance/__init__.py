"""Which columns a version's predictions depend on, computed by a batch job of the platform's own."""
