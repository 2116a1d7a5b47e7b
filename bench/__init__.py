"""Measures the platform's previews and updates against a bare program on the same sandbox."""
