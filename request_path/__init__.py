"""What a request to a model takes on its way, read from a stack's own objects, and what is wrong.

Knows neither the engine nor Pulumi: resources in, hops and findings out. `make route` prints them
for a deployment; the rules in `policies/rules/baseline` judge previews with the same checks.
"""
