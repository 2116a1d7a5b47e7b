"""Models that are watched, trained again and released."""
