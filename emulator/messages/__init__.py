"""Messages: topics and subscriptions of a world that work, durable on one file."""
