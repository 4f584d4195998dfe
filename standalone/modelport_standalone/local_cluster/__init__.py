"""A cluster of one machine: the API of `modelport_crds.kube.Kube`, with child processes for pods."""
