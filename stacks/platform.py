"""The whole platform of one environment, in the order of the world."""

from collections.abc import Mapping

from config.platform import Platform
from stacks.certificates import EVERYWHERE, certificate_outputs
from stacks.foundation import build_foundation
from stacks.fronts import front_outputs
from stacks.images import build_images
from stacks.inference import build_inference
from stacks.operations import build_operations
from stacks.perimeter import build_perimeter
from stacks.publication import build_publication
from stacks.serverless import build_serverless
from stacks.services import build_services


def build_platform(platform: Platform) -> Mapping[str, object]:
    """Makes every resource of the environment; returns the stack's outputs by name."""
    foundation = build_foundation(platform)
    perimeter = build_perimeter(platform, foundation)
    regions = build_inference(platform, foundation, perimeter)
    publication = build_publication(platform, foundation, regions)
    images = build_images(platform, foundation)
    pipelines = build_serverless(platform, foundation, images)
    services = build_services(platform, foundation, regions, images)
    dashboards = build_operations(platform, foundation)

    outputs: dict[str, object] = {
        "inference_url": f"https://{platform.gateway.hostname}/v1",
        "models": sorted(
            name
            for model_name, model in platform.models.items()
            for name in (model_name, *(adapter.name for adapter in model.adapters))
        ),
        "clusters": {name: region.cluster.cluster_name for name, region in regions.items()},
        "gateway_addresses": {name: region.gateway.address for name, region in regions.items()},
        "topics": {name: pipeline.topic_id for name, pipeline in pipelines.items()},
        "service_urls": {
            **{name: pipeline.service_uri for name, pipeline in pipelines.items()},
            **{name: service.uri for name, service in services.services.items()},
        },
        "results_tables": {name: pipeline.results_table for name, pipeline in pipelines.items()},
        "dashboards": dashboards,
    }
    if services.fronts:
        outputs["fronts"] = front_outputs(services.fronts)
    certificates = {name: region.certificate for name, region in regions.items()}
    if publication is not None:
        outputs["service_attachments"] = publication.endpoint.service_attachment_uris
        outputs["endpoint_addresses"] = publication.endpoint.endpoint_ips
        if publication.certificate is not None:
            certificates[EVERYWHERE] = publication.certificate
    outputs |= certificate_outputs(certificates)
    if perimeter is not None:
        outputs["perimeter"] = perimeter.perimeter_name
    return outputs
