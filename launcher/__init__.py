"""The launcher: runs the real Pulumi engine against the sandbox cloud, or hands over to Pulumi."""
