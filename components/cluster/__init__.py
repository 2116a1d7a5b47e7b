"""Kubernetes: the cluster and its GPU nodes."""
