"""CloudRunService: a container that answers requests, and scales to zero.

Owns the service, who may call it and the right to read the secrets it is given. Does not own the
service account it runs as, nor that account's other grants, nor what stands before it.
"""

import pulumi
import pulumi_gcp as gcp

from catalog.limits import cloud_run as limits
from components.ready import after
from components.serverless.cloud_run_arguments import (
    INGRESS,
    CloudRunServiceArgs,
    validate_cloud_run_service,
)
from components.serverless.cloud_run_program import readable_by
from components.serverless.cloud_run_template import template_of, traffics_of
from components.validation import component_type, register


class CloudRunService(pulumi.ComponentResource):
    """A Cloud Run service that only the named members can call, by default from inside only.

    Inside means: VPC networks of the project or its perimeter, and Pub/Sub, Cloud Scheduler, Cloud
    Tasks, Eventarc and Workflows of the same project. IAM checks every caller, wherever from.

    With `revision` and `traffic` a new version gets a share of the requests (canary), none but by
    its tag (blue-green), or none again (rollback): revisions stay until nothing names them.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/run/docs/securing/ingress
    https://cloud.google.com/run/docs/configuring/healthchecks
    https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration
    """

    service_name: pulumi.Output[str]
    uri: pulumi.Output[str]
    """Base URL; waits for the invokers' grants. Not to be used where `default_url` is false."""

    def __init__(
        self, name: str, args: CloudRunServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(CloudRunService), name, {}, opts)
        validate_cloud_run_service(name, args).raise_if_any(f"CloudRunService {name}")
        readable = readable_by(name, args, args["service_account"], self)
        admission: gcp.cloudrunv2.ServiceBinaryAuthorizationArgsDict | None = (
            {"use_default": True} if args.get("binary_authorization") else None
        )
        service = gcp.cloudrunv2.Service(
            f"{name}-run",
            name=name,
            project=args["project"],
            location=args["region"],
            ingress=INGRESS[args.get("ingress", limits.INGRESS.default)],
            default_uri_disabled=None if args.get("default_url", True) else True,
            invoker_iam_disabled=False,
            iap_enabled=True if args.get("iap") else None,
            custom_audiences=[*args.get("custom_audiences", ())] or None,
            binary_authorization=admission,
            deletion_protection=args.get("deletion_protection", True),
            template=template_of(name, args),
            traffics=traffics_of(name, args),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=readable, delete_before_replace=True
            ),
        )
        grants = [
            gcp.cloudrunv2.ServiceIamMember(
                f"{name}-invoke-{invoker}",
                project=args["project"],
                location=args["region"],
                name=service.name,
                role="roles/run.invoker",
                member=pulumi.Output.from_input(member).apply(_with_kind),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for invoker, member in args["invokers"].items()
        ]
        passing = self._iap_grants(name, args, service)
        self.service_name = service.name
        self.uri = after(service.uri, *[each.id for each in (*grants, *passing)])
        register(self)

    def _iap_grants(
        self, name: str, args: CloudRunServiceArgs, service: gcp.cloudrunv2.Service
    ) -> list[pulumi.CustomResource]:
        iap = args.get("iap")
        if iap is None:
            return []
        child = pulumi.ResourceOptions(parent=self)
        call = gcp.cloudrunv2.ServiceIamMember(
            f"{name}-iap",
            project=args["project"],
            location=args["region"],
            name=service.name,
            role="roles/run.invoker",
            member=pulumi.Output.concat("serviceAccount:", iap["service_agent"]),
            opts=child,
        )
        return [
            call,
            *(
                gcp.iap.WebCloudRunServiceIamMember(
                    f"{name}-iap-{member}",
                    project=args["project"],
                    location=args["region"],
                    cloud_run_service_name=service.name,
                    role="roles/iap.httpsResourceAccessor",
                    member=who,
                    opts=child,
                )
                for member, who in iap["members"].items()
            ),
        ]


def _with_kind(member: str) -> str:
    return member if ":" in member else f"serviceAccount:{member}"
