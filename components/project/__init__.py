"""What the platform needs of its Google Cloud project."""
