"""Inference on GKE: model servers, the gateway before them, and its certificate."""
