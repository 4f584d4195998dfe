"""Each object of a version: spec in, manifest out, nothing else."""
