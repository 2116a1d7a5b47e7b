"""What several rules share and is about no access."""
