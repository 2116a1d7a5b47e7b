"""The life of a stack, rehearsed on copies: `make rehearse`."""
