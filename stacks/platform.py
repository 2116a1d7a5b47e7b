"""The whole platform of one environment, in the order of the world."""

from collections.abc import Mapping

from config.platform import Platform
from stacks.admission import build_admission
from stacks.audit import build_audit
from stacks.batch_inference import Batches
from stacks.certificates import EVERYWHERE, certificate_outputs
from stacks.data import build_data
from stacks.foundation import build_foundation
from stacks.frontends import frontend_outputs
from stacks.gateway_access import build_gateway_access
from stacks.images import build_images
from stacks.inference import build_inference
from stacks.operations import build_operations
from stacks.perimeter import build_perimeter
from stacks.publication import build_publication
from stacks.secrets import build_secrets
from stacks.serverless import build_serverless
from stacks.services import build_service_accounts, build_services
from stacks.tables import Tables
from stacks.training import build_training
from stacks.vertex import build_vertex


def build_platform(platform: Platform) -> Mapping[str, object]:
    """Make every resource of the environment; return the stack's outputs by name."""
    foundation = build_foundation(platform)
    perimeter = build_perimeter(platform, foundation)
    images = build_images(platform, foundation)
    regions = build_inference(platform, foundation, images, perimeter)
    build_admission(platform, foundation, regions)
    publication = build_publication(platform, foundation, regions)
    secrets = build_secrets(platform, foundation)
    gateway = build_gateway_access(platform, foundation, regions)
    pipelines = build_serverless(platform, foundation, gateway, images, secrets)
    accounts = build_service_accounts(platform, foundation)
    data = build_data(platform, foundation, pipelines, accounts)
    services = build_services(platform, foundation, gateway, images, secrets, data, accounts)
    vertex = build_vertex(platform, foundation, pipelines)
    audit = build_audit(platform, foundation, pipelines)
    operations = build_operations(platform, foundation, vertex.endpoints)
    channels = operations.channels
    batches = Batches(platform, foundation, images, secrets, data, gateway, channels).build()
    training = build_training(platform, foundation, images, pipelines, channels)
    features = Tables(platform, foundation, pipelines, data, channels).build()

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
            **{
                name: service.uri
                for name, service in services.services.items()
                if platform.services[name].default_url
            },
        },
        "results_tables": {name: pipeline.results_table for name, pipeline in pipelines.items()},
        "training": {
            name: {
                "topic": loop.topic_id,
                "models": loop.bucket_name,
                "labels": loop.labels_table,
                "findings": loop.findings_table,
            }
            for name, loop in training.items()
        },
        "batch_inference": {name: batch.job_name for name, batch in batches.items()},
        "lake_buckets": {name: bucket.bucket_name for name, bucket in data.lake.items()},
        "warehouse_tables": {name: each.table_ids for name, each in data.warehouse.items()},
        "warehouse_views": {name: each.view_ids for name, each in data.warehouse.items()},
        "vertex_endpoints": {
            name: {"id": endpoint.endpoint_id, "address": endpoint.address}
            for name, endpoint in vertex.endpoints.items()
        },
        "vector_indexes": {
            name: {"index": index.index_id, "endpoint": index.endpoint_id, "address": index.address}
            for name, index in vertex.indexes.items()
        },
        "feature_views": {} if features is None else features.view_ids,
        "dashboards": operations.dashboards,
    }
    if services.frontends:
        outputs["frontends"] = frontend_outputs(services.frontends)
    certificates = {name: region.certificate for name, region in regions.items()}
    if publication is not None:
        outputs["service_attachments"] = publication.endpoint.service_attachment_uris
        outputs["endpoint_addresses"] = publication.endpoint.endpoint_ips
        if publication.certificate is not None:
            certificates[EVERYWHERE] = publication.certificate
    outputs |= certificate_outputs(certificates)
    if data.cache is not None:
        outputs["cache"] = {
            "host": data.cache.host,
            "port": data.cache.port,
            "ca_certificate": data.cache.ca_certificate,
            "password_secret": data.cache.password_secret,
        }
    if audit is not None:
        outputs["audit"] = {"bucket": audit.bucket_name, "dataset": audit.dataset_id}
    if perimeter is not None:
        outputs["perimeter"] = perimeter
    return outputs
