"""All parts on one machine, without Kubernetes: `modelport up`."""
