"""API management: who may call the gateway, how often, and how that is known."""
