"""The serverless services of a world, running: processes, the ingress that checks callers."""
