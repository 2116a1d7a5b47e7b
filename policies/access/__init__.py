"""Who can reach what: every grant of the stack in one shape, and the ways from one to another."""
