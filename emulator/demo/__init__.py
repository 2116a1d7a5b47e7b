"""The demo: messages through a stack's pipelines on the sandbox cloud, counted at every end."""
