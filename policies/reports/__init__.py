"""What the packs found in a run, in the forms that people and tools read."""
