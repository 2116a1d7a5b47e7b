"""VPC networks, Private Service Connect and the service perimeter."""
