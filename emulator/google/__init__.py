"""Google's APIs of data and models over a world, as far as the services use them."""
