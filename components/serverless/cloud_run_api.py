"""CloudRunApi: an API Gateway before a Cloud Run service, which knows its callers by key or token.

Owns the API, its configuration, the gateway, the account the gateway calls as, and its right to
call the service. Does not own the service, nor callers' keys.
"""

import base64
import hashlib
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import cloud_run as limits
from catalog.limits import label
from catalog.openapi import DocumentError, parsed
from components.ready import after
from components.serverless.api_document import Callers, full_document
from components.service_accounts import account_id
from components.validation import Problems, component_type, register

LONGEST_NAME = 40


class CloudRunApiArgs(TypedDict):
    """Arguments of CloudRunApi."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the service."""
    gateway_region: NotRequired[str]
    """Region of the gateway; default that of the service."""
    service_name: pulumi.Input[str]
    """Name of the service; its ingress is `all`, as the gateway is outside the VPC."""
    service_uri: pulumi.Input[str]
    """Base URL of the service."""
    document: str
    """OpenAPI 2.0, YAML or JSON: info and paths, each operation with operationId and responses.
    Backend, callers and quota come from the other arguments."""
    callers: Callers
    """How callers are told apart: by token, by API key, or both."""
    timeout_seconds: NotRequired[Annotated[int, limits.API_TIMEOUT_SECONDS]]
    """Longest the service may take."""


def validate_cloud_run_api(name: str, args: CloudRunApiArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(CloudRunApiArgs, args)
    problems.check_limit(label(LONGEST_NAME, "API Gateway allows no longer name"), name, "name")
    try:
        parsed(args["document"])
    except DocumentError as problem:
        problems.add(
            "document",
            f"found {problem}; allowed: OpenAPI 2.0 with info, paths and operations; fix it",
        )
    region = args.get("gateway_region", args["region"])
    problems.check_limit(limits.API_REGION, region, "gateway_region")
    problems.extend(limits.callers(args["callers"]), "callers")
    return problems


class CloudRunApi(pulumi.ComponentResource):
    """An API Gateway: callers outside come in by its paths alone, and it calls the service.

    A change of the document makes a new configuration, to which the gateway then moves. API keys
    are made apart, restricted to `managed_service`, which a consumer's project enables first.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/api-gateway/docs/about-api-gateway
    """

    url: pulumi.Output[str]
    """`https://` and the gateway's host; waits for its right to call the service."""
    managed_service: pulumi.Output[str]
    """Name of the API as consumers enable it."""
    gateway_service_account: pulumi.Output[str]
    """Email of the account the gateway calls the service as."""

    def __init__(
        self, name: str, args: CloudRunApiArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(CloudRunApi), name, {}, opts)
        validate_cloud_run_api(name, args).raise_if_any(f"CloudRunApi {name}")
        child = pulumi.ResourceOptions(parent=self)
        project = args["project"]
        account = gcp.serviceaccount.Account(
            f"{name}-gateway",
            project=project,
            account_id=account_id(name, "gateway"),
            display_name=f"API {name}: calls the service",
            opts=child,
        )
        grant = gcp.cloudrunv2.ServiceIamMember(
            f"{name}-invoke",
            project=project,
            location=args["region"],
            name=args["service_name"],
            role="roles/run.invoker",
            member=pulumi.Output.concat("serviceAccount:", account.email),
            opts=child,
        )
        api = gcp.apigateway.Api(
            f"{name}-api",
            api_id=name,
            project=project,
            display_name=name,
            opts=child,
        )
        document = pulumi.Output.from_input(args["service_uri"]).apply(
            lambda uri: full_document(
                args["document"],
                uri,
                args.get("timeout_seconds", limits.API_TIMEOUT_SECONDS.default),
                args["callers"],
            )
        )
        config = gcp.apigateway.ApiConfig(
            f"{name}-config",
            api=api.api_id,
            # A configuration never changes: another document is another one.
            api_config_id=pulumi.Output.all(document, account.email).apply(
                lambda values: f"{name}-{hashlib.sha256(''.join(values).encode()).hexdigest()[:8]}"
            ),
            project=project,
            display_name=name,
            openapi_documents=[
                {
                    "document": {
                        "path": f"{name}.json",
                        "contents": document.apply(
                            lambda text: base64.b64encode(text.encode()).decode()
                        ),
                    }
                }
            ],
            gateway_config={"backend_config": {"google_service_account": account.email}},
            opts=child,
        )
        gateway = gcp.apigateway.Gateway(
            f"{name}-gateway",
            gateway_id=name,
            api_config=config.id,
            project=project,
            region=args.get("gateway_region", args["region"]),
            display_name=name,
            opts=child,
        )
        self.url = after(pulumi.Output.format("https://{0}", gateway.default_hostname), grant.id)
        self.managed_service = api.managed_service
        self.gateway_service_account = account.email
        register(self)
