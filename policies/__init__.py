"""Policy packs: what no deployment of the platform may do, checked before it happens."""
