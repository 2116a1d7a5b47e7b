"""The message `google.rpc.Status`, which a gRPC error carries its details in."""

from typing import Any

from google.protobuf import descriptor_pool, message_factory


def status_type() -> Any:
    """Return its class: that of whichever package brought it.

    Google's clients and Pulumi have it, and a process takes it from one of them alone.
    """
    try:
        known = descriptor_pool.Default().FindMessageTypeByName("google.rpc.Status")
    except KeyError:
        from pulumi.runtime.proto import status_pb2

        return status_pb2.Status
    return message_factory.GetMessageClass(known)
