"""What a model needs of GPUs: its parameters, KV cache and speed, from its published shape."""
