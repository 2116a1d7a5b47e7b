"""Vertex AI: models it serves, beside those on GKE."""
