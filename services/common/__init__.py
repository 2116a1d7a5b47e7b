"""What every service does alike: settings, logs, telemetry, limits, the server."""
