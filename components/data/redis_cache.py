"""RedisCache: a small cache in front of models, such as for answers to prompts seen before.

Owns the Redis instance and the secret with its password. Does not own the network's private service
access nor what is cached.

Memorystore for Redis, not Redis Cluster or Valkey: it starts at 1 GiB on one node, any Redis client
can use it with TLS and a password, and it needs no service connection policy. The others have no
password, only IAM tokens that clients must renew every hour, and Redis Cluster starts at three
shards.
"""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import label
from catalog.limits import storage as limits
from components.ready import after
from components.validation import Problems, component_type, register

TIERS: Mapping[str, str] = {"basic": "BASIC", "standard": "STANDARD_HA"}
"""The API's value by ours."""

_VERSION = "REDIS_7_2"
_LONGEST_NAME = 40


class RedisCacheArgs(TypedDict):
    """Arguments of RedisCache."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the instance, and of the secret."""
    network: pulumi.Input[str]
    """Id of a network with private service access (PrivateServiceAccess)."""
    range_name: pulumi.Input[str]
    """Name of the range the instance gets its addresses from."""
    memory_gib: NotRequired[Annotated[int, limits.CACHE_GIB]]
    """Size."""
    tier: NotRequired[Annotated[str, limits.CACHE_TIER]]
    """basic: one node, empty after it fails; standard: a replica takes over."""
    read_replicas: NotRequired[Annotated[int, limits.READ_REPLICAS]]
    """Further replicas that only answer reads; with tier standard and 5 GiB."""
    readers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may read the password and so use the cache, by any short name, such as
    `serviceAccount:run@acme.iam.gserviceaccount.com`."""
    deletion_protection: NotRequired[bool]
    """Whether instance and secret are protected from deletion; default true."""


def validate_redis_cache(name: str, args: RedisCacheArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(RedisCacheArgs, args)
    problems.check_limit(label(_LONGEST_NAME, "Memorystore allows no longer name"), name, "name")
    problems.extend(limits.cache(args))
    return problems


class RedisCache(pulumi.ComponentResource):
    """A Redis instance with an address in the network only, TLS and a password.

    The password goes from the instance straight into Secret Manager; in the state it is encrypted.
    Keys least recently used make room for new ones.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/memorystore/docs/redis/auth-overview
    https://cloud.google.com/memorystore/docs/redis/about-in-transit-encryption
    """

    host: pulumi.Output[str]
    port: pulumi.Output[int]
    """Of TLS connections."""
    ca_certificate: pulumi.Output[str]
    """PEM of the authorities clients must trust: in its last years, an old one and its successor.
    They sign for this instance alone."""
    password_secret: pulumi.Output[str]
    """`projects/<project>/secrets/<secret>`; waits for the password and the grants."""

    def __init__(
        self, name: str, args: RedisCacheArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(RedisCache), name, {}, opts)
        validate_redis_cache(name, args).raise_if_any(f"RedisCache {name}")
        instance = self._instance(name, args)
        self.host = instance.host
        self.port = instance.port
        self.ca_certificate = instance.server_ca_certs.apply(
            lambda found: "\n".join(each.cert or "" for each in found or ())
        )
        self.password_secret = self._password(name, args, instance)
        register(self)

    def _instance(self, name: str, args: RedisCacheArgs) -> gcp.redis.Instance:
        protected = args.get("deletion_protection", True)
        replicas = args.get("read_replicas", limits.READ_REPLICAS.default)
        return gcp.redis.Instance(
            f"{name}-instance",
            name=name,
            project=args["project"],
            region=args["region"],
            tier=TIERS[args.get("tier", limits.CACHE_TIER.default)],
            memory_size_gb=args.get("memory_gib", limits.CACHE_GIB.default),
            redis_version=_VERSION,
            redis_configs={"maxmemory-policy": "allkeys-lru"},
            read_replicas_mode="READ_REPLICAS_ENABLED" if replicas else None,
            replica_count=replicas or None,
            authorized_network=args["network"],
            connect_mode="PRIVATE_SERVICE_ACCESS",
            reserved_ip_range=args["range_name"],
            auth_enabled=True,
            transit_encryption_mode="SERVER_AUTHENTICATION",
            deletion_protection=protected,
            opts=pulumi.ResourceOptions(
                parent=self, protect=protected or None, delete_before_replace=True
            ),
        )

    def _password(
        self, name: str, args: RedisCacheArgs, instance: gcp.redis.Instance
    ) -> pulumi.Output[str]:
        secret = gcp.secretmanager.Secret(
            f"{name}-password",
            secret_id=f"{name}-password",
            project=args["project"],
            replication={"user_managed": {"replicas": [{"location": args["region"]}]}},
            deletion_protection=args.get("deletion_protection", True),
            opts=pulumi.ResourceOptions(parent=self),
        )
        version = gcp.secretmanager.SecretVersion(
            f"{name}-password-version",
            secret=secret.id,
            # Written, never read back: the provider keeps it out of what it says of the version.
            secret_data_wo=pulumi.Output.secret(instance.auth_string),
            # Another instance has another password.
            secret_data_wo_version=instance.create_time,
            opts=pulumi.ResourceOptions(parent=self),
        )
        grants = [
            gcp.secretmanager.SecretIamMember(
                f"{name}-read-{who}",
                project=args["project"],
                secret_id=secret.secret_id,
                role="roles/secretmanager.secretAccessor",
                member=member,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for who, member in args.get("readers", {}).items()
        ]
        return after(secret.id, version.id, *[each.id for each in grants])
