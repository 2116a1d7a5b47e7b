"""What a deployment costs in a month, from its resources alone."""
