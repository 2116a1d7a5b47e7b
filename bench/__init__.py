"""Measures the stacks on the sandbox against a bare program, the policies and the services."""
