"""The component resources. Import each from its module; COMPONENTS names them all.

Loading is lazy, so that a program pays only for the components it uses.
"""

import atexit
import gc
import importlib
from collections.abc import Mapping

import pulumi

# The SDKs are a large heap that lives as long as the process: searching it for garbage every few
# hundred objects takes a quarter of the time that loading them takes.
gc.set_threshold(200_000)
# The end of the interpreter would search it again and again, for a fifth of what a preview takes.
atexit.register(gc.freeze)

COMPONENTS: Mapping[str, str] = {
    "ApigeeApi": "components.api_management.apigee_api",
    "ApigeeBackend": "components.api_management.apigee_backend",
    "ApigeeOperatorAccess": "components.api_management.apigee_operator_access",
    "ApigeeOrganization": "components.api_management.apigee_organization",
    "AuditLogs": "components.operations.audit_logs",
    "BatchInference": "components.serverless.batch_inference",
    "BodyBasedRouter": "components.inference.body_based_router",
    "Budget": "components.operations.budget",
    "CalloutService": "components.inference.callout_service",
    "CloudRunApi": "components.serverless.cloud_run_api",
    "CloudRunLoadBalancer": "components.serverless.cloud_run_load_balancer",
    "CloudRunService": "components.serverless.cloud_run_service",
    "ComputeClass": "components.cluster.compute_class",
    "ConsumerVpc": "components.network.consumer_vpc",
    "CrossRegionFrontend": "components.network.cross_region_frontend",
    "DataQuality": "components.data.data_quality",
    "DataflowJob": "components.serverless.dataflow_job",
    "DeadLetter": "components.serverless.dead_letter",
    "EncryptionKey": "components.data.encryption_key",
    "EndpointPicker": "components.inference.endpoint_picker",
    "ExistingGkeCluster": "components.cluster.existing_gke_cluster",
    "ExternalBackend": "components.inference.external_backend",
    "FeatureStore": "components.vertex.feature_store",
    "GkeCluster": "components.cluster.gke_cluster",
    "GpuNodePool": "components.cluster.gpu_node_pool",
    "ImageAdmission": "components.project.image_admission",
    "ImageMirror": "components.cluster.image_mirror",
    "InferenceAlerts": "components.operations.inference_alerts",
    "InferenceCrds": "components.inference.inference_crds",
    "InferenceDashboard": "components.operations.inference_dashboard",
    "InferenceGateway": "components.inference.inference_gateway",
    "InferencePool": "components.inference.inference_pool",
    "KeyAccess": "components.data.key_access",
    "LakeBucket": "components.data.lake_bucket",
    "LeaderWorkerSets": "components.inference.leader_worker_sets",
    "ManagedCertificate": "components.inference.managed_certificate",
    "MessageArchive": "components.serverless.message_archive",
    "MessageTable": "components.serverless.message_table",
    "MetricsAdapter": "components.operations.metrics_adapter",
    "ModelArmorAccess": "components.inference.model_armor_access",
    "ModelArmorFloor": "components.inference.model_armor_floor",
    "ModelArmorGuardrail": "components.inference.model_armor_guardrail",
    "ModelRetraining": "components.training.model_retraining",
    "ModelServer": "components.inference.model_server",
    "NamespaceIsolation": "components.inference.namespace_isolation",
    "NotificationChannels": "components.operations.notification_channels",
    "PerimeterMembership": "components.network.perimeter_membership",
    "PipelineAlerts": "components.operations.pipeline_alerts",
    "PipelineDashboard": "components.operations.pipeline_dashboard",
    "PrivateCertificate": "components.inference.private_certificate",
    "PrivateName": "components.network.private_name",
    "PrivateServiceAccess": "components.network.private_service_access",
    "ProjectServices": "components.project.services",
    "PscEndpoint": "components.network.psc_endpoint",
    "PubSubCloudRunPipeline": "components.serverless.pubsub_cloud_run_pipeline",
    "PullSubscription": "components.serverless.pull_subscription",
    "RedisCache": "components.data.redis_cache",
    "RegionalSecurityPolicy": "components.network.regional_security_policy",
    "RestrictedGoogleApis": "components.network.restricted_google_apis",
    "ResultsTable": "components.serverless.results_table",
    "ScheduledQuery": "components.data.scheduled_query",
    "SelfManagedCertificate": "components.inference.self_managed_certificate",
    "ServiceImages": "components.serverless.service_images",
    "ServiceLevelObjectives": "components.operations.service_level_objectives",
    "ServicesAccess": "components.network.services_access",
    "SharedVpcAccess": "components.network.shared_vpc_access",
    "TeamNamespace": "components.inference.team_namespace",
    "TrafficExtension": "components.inference.traffic_extension",
    "VectorIndex": "components.vertex.vector_index",
    "VertexAlerts": "components.operations.vertex_alerts",
    "VertexConnection": "components.vertex.vertex_connection",
    "VertexDashboard": "components.operations.vertex_dashboard",
    "VertexEndpoint": "components.vertex.vertex_endpoint",
    "Vpc": "components.network.vpc",
    "VpcPerimeter": "components.network.vpc_perimeter",
    "Warehouse": "components.data.warehouse",
}


def load(name: str) -> type[pulumi.ComponentResource]:
    """Return the class of a component by its name. Raises KeyError if there is none."""
    component: type[pulumi.ComponentResource] = getattr(
        importlib.import_module(COMPONENTS[name]), name
    )
    return component
