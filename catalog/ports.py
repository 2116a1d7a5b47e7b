"""TCP ports of pods."""

from typing import Final

MODEL_SERVER: Final = 8000
ENDPOINT_PICKER: Final = 9002
ENDPOINT_PICKER_HEALTH: Final = 9003
BODY_BASED_ROUTER: Final = 9004
BODY_BASED_ROUTER_HEALTH: Final = 9005
METRICS: Final = 9090
"""Of programs that answer requests on another, for PodMonitoring."""

BACKENDS: Final = (
    MODEL_SERVER,
    ENDPOINT_PICKER,
    ENDPOINT_PICKER_HEALTH,
    BODY_BASED_ROUTER,
    BODY_BASED_ROUTER_HEALTH,
)
"""Those that load balancers and their health checks connect to."""
