"""Seeing, being told and scaling: dashboards, alerts, a budget, and metrics for autoscalers."""
