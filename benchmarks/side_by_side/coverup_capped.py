"""Run by CoverUp's own Python in its place: `coverup_capped.py MODEL MAX_TOKENS [CoverUp's options]`.

CoverUp has no option for the longest answer; a small model that repeats itself would write until its context
is full. So the limit that our member has too is put into each request. And it ends where LiteLLM has no price
of a model, as of every local one: this one is registered for nothing.
"""

import sys

import litellm
from coverup.coverup import main

model, limit = sys.argv.pop(1), int(sys.argv.pop(1))
free = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0, "max_tokens": 8192, "mode": "chat"}
litellm.register_model({name: {**free, "litellm_provider": "openai"} for name in (model, f"openai/{model}")})
without_limit = litellm.acreate


async def acreate(**request):
    return await without_limit(**request, max_tokens=limit)


litellm.acreate = acreate
sys.exit(main())
