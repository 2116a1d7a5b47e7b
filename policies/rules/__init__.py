"""The rules of the policy packs, importable and testable without an engine."""
