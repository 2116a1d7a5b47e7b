"""Serverless: event-driven pipelines on Pub/Sub and Cloud Run."""
