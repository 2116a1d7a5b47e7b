"""The data plane of a sandbox world at work: messages, services, tables, on this machine."""
