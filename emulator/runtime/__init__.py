"""The serverless services of a world, running: processes, the front that checks callers, tokens."""
