"""Options of a connection to Redis, beside its URL."""

from typing import Any

from services.llm_backend.settings import Settings


def redis_options(settings: Settings) -> dict[str, Any]:
    """Return what every use of Redis connects with.

    Memorystore's certificates are for an address and have it as common name, which Python compares
    with nothing. Its authority signs for the one instance: that proves as much as a name would.
    https://cloud.google.com/memorystore/docs/redis/about-in-transit-encryption
    """
    options: dict[str, Any] = {
        "socket_timeout": settings.redis_timeout_seconds,
        "socket_connect_timeout": settings.redis_timeout_seconds,
    }
    if password := settings.redis_password.get_secret_value():
        options["password"] = password
    if settings.redis_ca_file:
        options |= {"ssl_ca_certs": settings.redis_ca_file, "ssl_check_hostname": False}
    return options
