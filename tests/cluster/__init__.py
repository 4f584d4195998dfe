"""A real Kubernetes for the tests: given, or kind's, or upstream's programs as host processes."""
