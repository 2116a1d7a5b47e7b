"""The request path of a stack at work: its own objects, run by the programs that will read them."""
