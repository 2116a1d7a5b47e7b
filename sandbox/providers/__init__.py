"""The sandbox cloud's resource providers, served to a Pulumi engine over gRPC."""

from sandbox.providers.server import ServeError, Servers, serve

__all__ = ["ServeError", "Servers", "serve"]
