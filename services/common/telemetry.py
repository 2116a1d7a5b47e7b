"""Traces and metrics over OTLP, when OTEL_EXPORTER_OTLP_ENDPOINT says where to.

Without it only the API is imported, whose calls do nothing: the SDK would slow the start.
"""

import os
from collections.abc import Callable


def configure_telemetry(service: str) -> Callable[[], None]:
    """Start the exporters, if configured; return the function that sends what is left."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return lambda: None
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over what is given here.
    name = os.environ.get("OTEL_SERVICE_NAME") or os.environ.get("K_SERVICE") or service
    revision = os.environ.get("K_REVISION", "")
    resource = Resource.create({"service.name": name, "service.version": revision})
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(traces)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    meters = MeterProvider(resource=resource, metric_readers=[reader])
    metrics.set_meter_provider(meters)

    def shut_down() -> None:
        traces.shutdown()
        meters.shutdown()

    return shut_down
