"""The rules of the least-privilege pack, a file each."""
