"""Deployments of Kubernetes, through kubectl."""
