"""A thin chat API before an OpenAI-compatible endpoint: modes, limits, retries, a cache."""
