"""The sandbox cloud: Google Cloud and Kubernetes as far as a Pulumi program can tell.

`sandbox.world.World` is the cloud's memory, `sandbox.providers.serve` starts the two resource
providers that a real Pulumi engine attaches to through `PULUMI_DEBUG_PROVIDERS`.
"""
