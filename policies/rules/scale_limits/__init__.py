"""The rules of the scale-limits pack, a file each."""
