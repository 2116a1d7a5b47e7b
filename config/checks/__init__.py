"""What must hold between the values of a config that each are fine alone."""

from catalog.problems import Problem
from config.checks.api_management import check_api_management
from config.checks.audit import check_audit
from config.checks.batch_inference import check_batch_inference
from config.checks.consumers import check_consumers
from config.checks.data import check_data
from config.checks.edge_protection import check_edge_protection
from config.checks.encryption import check_encryption
from config.checks.feature_store import check_feature_store
from config.checks.gateway import check_gateway
from config.checks.gpu_pools import check_gpu_pools
from config.checks.guardrail_services import check_guardrail_services
from config.checks.guardrails import check_guardrails
from config.checks.images import check_images
from config.checks.models import check_models
from config.checks.names import check_names
from config.checks.network import check_network
from config.checks.operations import check_operations
from config.checks.perimeter import check_perimeter
from config.checks.pipelines import check_pipelines
from config.checks.services import check_services
from config.checks.slos import check_slos
from config.checks.tables import check_tables
from config.checks.teams import check_teams
from config.checks.training import check_training
from config.checks.vertex import check_vertex
from config.known import Known

_CHECKS = (
    check_network,
    check_gpu_pools,
    check_models,
    check_teams,
    check_guardrails,
    check_guardrail_services,
    check_api_management,
    check_consumers,
    check_gateway,
    check_pipelines,
    check_training,
    check_data,
    check_tables,
    check_feature_store,
    check_vertex,
    check_services,
    check_batch_inference,
    check_perimeter,
    check_operations,
    check_slos,
    check_audit,
    check_edge_protection,
    check_encryption,
    check_images,
    check_names,
)


def check(known: Known) -> list[Problem]:
    """Return every problem between the readable parts of a config."""
    return [problem for rules in _CHECKS for problem in rules(known)]


__all__ = ["check"]
