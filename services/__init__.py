"""The container applications the platform runs, each image made from this folder."""
