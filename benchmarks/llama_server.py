"""Run by benchmarks.local_models in the environment of llama.cpp: one server until standard input closes.

    python llama_server.py FILE NAME SLOTS CONTEXT THREADS SAVED_PROMPTS_MIB

It prints its address when it answers.
"""

import os
import sys

import xllamacpp


def main(path: str, name: str, *numbers: str) -> None:
    slots, context, threads, saved_prompts_mib = map(int, numbers)
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = slots
    params.n_ctx = context * slots  # llama.cpp divides the context among the slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = saved_prompts_mib
    params.sampling.temp = 0.0
    params.ui = False
    params.verbosity = 0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)  # an orderly end would wait for the answers being written


if __name__ == "__main__":
    main(*sys.argv[1:])
