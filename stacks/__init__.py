"""How components make an environment."""
