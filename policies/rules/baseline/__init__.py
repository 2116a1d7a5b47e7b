"""The rules of the baseline pack, a file each."""
