"""The thin shell around the core: reads, calls the core, writes."""
