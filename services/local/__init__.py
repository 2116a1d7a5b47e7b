"""Stand-ins for what the services call, to run them on one machine. All are deterministic."""
