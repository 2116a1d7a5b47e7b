"""GKE clusters from the inside: kinds, schemas, objects and the controllers that act on them."""
