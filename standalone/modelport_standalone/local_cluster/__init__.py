"""A cluster of one machine: the API of `modelport_kube.kube.Kube`, with child processes for pods."""
