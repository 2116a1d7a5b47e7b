"""The packs, a folder each, and their rules, a file each."""
