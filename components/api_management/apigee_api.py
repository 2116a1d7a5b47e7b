"""ApigeeApi: the gateway's API in an Apigee organization: who calls it, and how often.

Owns the proxy that decides on requests, the gateway's host name in the organization, and for each
consumer an API product with its limits, a developer and an app, whose credential is Apigee's.
Does not own the organization nor the environment (ApigeeOrganization, or existing ones).
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.apigee.outputs import DeveloperAppCredential

from catalog.conventions import RATE_ATTRIBUTE
from catalog.limits import api_management as limits
from catalog.limits.names import RESOURCE_NAME
from components.api_management.proxy_bundle import ApigeeJwt, write_bundle
from components.names import dns_label
from components.ready import after
from components.validation import Problems, component_type, register

_SECRET_BYTES: Final = 32
_APPROVED: Final = "approved"


class Quota(TypedDict):
    """How many requests in which time."""

    requests: Annotated[int, limits.REQUESTS]
    """Requests of one period."""
    per: Annotated[str, limits.PERIOD]
    """The period."""


class ApiConsumer(TypedDict):
    """A consumer of the API, and its limits."""

    requests_per_minute: NotRequired[Annotated[int, limits.REQUESTS]]
    """Rate, smoothed within the minute (default: no limit)."""
    quota: NotRequired[Quota]
    """Most requests of a longer period, counted in each region (default: no limit)."""
    client_id: NotRequired[Annotated[str, limits.CLIENT_ID]]
    """With tokens: what they name the consumer's client. Needed with `jwt`, else not allowed."""


class ApigeeApiArgs(TypedDict):
    """Arguments of `ApigeeApi`."""

    organization: pulumi.Input[str]
    """Name of the Apigee organization."""
    environment: pulumi.Input[str]
    """Name of the environment, with the property apigee-service-extension-enabled."""
    hostname: str
    """DNS name of the gateway, which no environment group of the organization has."""
    consumers: Annotated[Mapping[Annotated[str, RESOURCE_NAME], ApiConsumer], limits.CONSUMERS]
    """Consumers by name."""
    jwt: NotRequired[ApigeeJwt]
    """Take tokens of this issuer (default: API keys)."""


def validate_apigee_api(args: ApigeeApiArgs) -> Problems:
    """Check the plain arguments of an `ApigeeApi`."""
    problems = Problems.of(ApigeeApiArgs, args)
    problems.extend(limits.clients(args["consumers"], tokens="jwt" in args), "consumers")
    return problems


class ApigeeApi(pulumi.ComponentResource):
    """Puts the gateway's API under the management of Apigee.

    Each request is identified, by an API key or a token, and counted against its consumer's limits;
    who is unknown or over a limit is refused. Apigee makes the keys: they are encrypted in the
    state, and read in Apigee by who may. The counters of a quota are a region's own.
    https://cloud.google.com/apigee/docs/api-platform/publish/what-api-product

    Unverified: that the path of a product, `/**`, is matched against the path of the request.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    proxy: pulumi.Output[str]
    """Name of the proxy, known once it runs and the consumers are there."""
    keys: Mapping[str, pulumi.Output[str]]
    """Key of each consumer, a secret: of several, the approved one that was issued last."""

    def __init__(
        self, name: str, args: ApigeeApiArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ApigeeApi), name, {}, opts)
        validate_apigee_api(args).raise_if_any(name)
        self._args = args
        self._organization_id = pulumi.Output.concat("organizations/", args["organization"])
        child = pulumi.ResourceOptions(parent=self)
        proxy_name = dns_label(name)
        proxy = gcp.apigee.Api(
            f"{name}-proxy",
            name=proxy_name,
            org_id=args["organization"],
            config_bundle=str(write_bundle(proxy_name, args.get("jwt"))),
            opts=child,
        )
        deployment = gcp.apigee.ApiDeployment(
            f"{name}-deployment",
            org_id=args["organization"],
            environment=args["environment"],
            proxy_id=proxy.name,
            revision=proxy.latest_revision_id,
            opts=child,
        )
        group = gcp.apigee.EnvGroup(
            f"{name}-host",
            name=proxy_name,
            org_id=self._organization_id,
            hostnames=[args["hostname"]],
            opts=child,
        )
        attachment = gcp.apigee.EnvGroupAttachment(
            f"{name}-host-attachment",
            envgroup_id=group.id,
            environment=args["environment"],
            opts=child,
        )
        apps = {
            consumer: self._app(f"{name}-{consumer}", consumer, limits, proxy)
            for consumer, limits in args["consumers"].items()
        }
        self.proxy = after(deployment.proxy_id, attachment.id, *[app.id for app in apps.values()])
        self.keys = {
            consumer: pulumi.Output.secret(app.credentials.apply(_key_of))
            for consumer, app in apps.items()
        }
        register(self)

    def _app(
        self, resource_name: str, consumer: str, limits: ApiConsumer, proxy: gcp.apigee.Api
    ) -> gcp.apigee.DeveloperApp:
        hostname = self._args["hostname"]
        developer = gcp.apigee.Developer(
            f"{resource_name}-developer",
            org_id=self._organization_id,
            email=f"{consumer}@{hostname}",
            first_name=consumer,
            last_name=hostname,
            user_name=f"{consumer}@{hostname}",
            opts=pulumi.ResourceOptions(parent=self),
        )
        client_id = limits.get("client_id")
        # A client's key is its id, which tokens prove; nothing ever asks for the secret.
        unused = pulumi.Output.secret(secrets.token_urlsafe(_SECRET_BYTES)) if client_id else None
        return gcp.apigee.DeveloperApp(
            f"{resource_name}-app",
            name=dns_label(resource_name),
            org_id=self._organization_id,
            developer_email=developer.email,
            callback_url=f"https://{hostname}",
            api_products=[self._product(resource_name, consumer, limits, proxy).name],
            consumer_key=client_id,
            consumer_secret=unused,
            opts=pulumi.ResourceOptions(
                parent=self,
                additional_secret_outputs=["credentials", "consumerSecret"],
                ignore_changes=["consumerSecret"],
            ),
        )

    def _product(
        self, resource_name: str, consumer: str, limits: ApiConsumer, proxy: gcp.apigee.Api
    ) -> gcp.apigee.ApiProduct:
        attributes = {"access": "private"}
        if "requests_per_minute" in limits:
            attributes[RATE_ATTRIBUTE] = f"{limits['requests_per_minute']}pm"
        quota = limits.get("quota")
        return gcp.apigee.ApiProduct(
            f"{resource_name}-product",
            name=dns_label(resource_name),
            display_name=f"{self._args['hostname']} for {consumer}",
            org_id=self._organization_id,
            approval_type="auto",
            environments=[self._args["environment"]],
            attributes=[{"name": key, "value": value} for key, value in attributes.items()],
            operation_group={
                "operation_config_type": "proxy",
                "operation_configs": [
                    {"api_source": proxy.name, "operations": [{"resource": "/**"}]}
                ],
            },
            quota=str(quota["requests"]) if quota else None,
            quota_interval="1" if quota else None,
            quota_time_unit=quota["per"] if quota else None,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _key_of(credentials: Sequence[DeveloperAppCredential]) -> str:
    good = [each for each in credentials if each.status in (None, _APPROVED)]
    newest = max(good or credentials, key=lambda each: int(each.issued_at or 0))
    return newest.consumer_key or ""


__all__ = ["ApigeeApi", "ApigeeApiArgs", "validate_apigee_api"]
