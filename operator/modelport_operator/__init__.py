"""MLModel in; Deployments, Services, status and traffic out."""
