"""Classifies the messages of a Pub/Sub subscription and keeps each result in BigQuery."""
