"""What every request of a region's gateway passes: API management, then the guardrail."""

from dataclasses import dataclass

from catalog.conventions import API_MANAGEMENT, GUARDRAIL
from components.inference.extensions import Extension
from components.inference.inference_gateway import InferenceGateway
from components.inference.model_armor_access import ModelArmorAccess
from components.inference.traffic_extension import TrafficExtension
from config.platform import Platform
from stacks.api_management import ManagedApi, build_apigee_extension, build_managed_api
from stacks.callouts import build_callout
from stacks.clusters import RegionCluster
from stacks.foundation import Foundation
from stacks.guardrails import build_access, build_floor, build_model_armor


@dataclass(frozen=True)
class ChainParts:
    """What the chains of all regions share."""

    access: ModelArmorAccess | None
    api: ManagedApi | None


def build_chain_parts(platform: Platform, foundation: Foundation) -> ChainParts:
    """Make what is there once a project."""
    build_floor(platform, foundation)
    return ChainParts(build_access(platform, foundation), build_managed_api(platform, foundation))


@dataclass(frozen=True)
class ChainBuilder:
    """Makes the chain of one region."""

    platform: Platform
    foundation: Foundation
    parts: ChainParts
    cluster: RegionCluster

    def build(self, gateway: InferenceGateway) -> TrafficExtension | None:
        """Put the chain before the models; None where nothing is in it."""
        # Who may not call is refused before the prompt is screened, and paid for.
        found = [self._api_management(), self._guardrail()]
        extensions = [extension for extension in found if extension is not None]
        if not extensions:
            return None
        return TrafficExtension(
            self.cluster.name,
            {
                "namespace": self.cluster.namespace,
                "gateway_name": gateway.gateway_name,
                "extensions": extensions,
            },
            self.cluster.options,
        )

    def _api_management(self) -> Extension | None:
        management = self.platform.api_management
        if self.parts.api is not None:
            return build_apigee_extension(
                self.platform, self.foundation, self.parts.api, self.cluster
            )
        if management is None or management.extension is None:
            return None
        return build_callout(
            self.platform,
            API_MANAGEMENT,
            management.extension,
            (management.fail_open, management.timeout_seconds),
            self.cluster,
        )

    def _guardrail(self) -> Extension | None:
        service = self.platform.gateway_guardrail(self.cluster.region)
        if service is None:
            return build_model_armor(self.platform, self.parts.access, self.cluster)
        return build_callout(
            self.platform,
            GUARDRAIL,
            service,
            (
                self.platform.guardrails_fail_open,
                self.platform.gateway.guardrail_timeout_seconds,
            ),
            self.cluster,
        )
