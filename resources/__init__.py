"""What everyone who reads a deployment shares: resources, their properties, and what is in them."""
