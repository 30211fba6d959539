"""Run by CoverUp's own Python in its place: `coverup_capped.py MAX_TOKENS [CoverUp's options]`.

CoverUp has no option for the longest answer; a small model that repeats itself would write until its context
is full. So the limit that our member has too is put into each request.
"""

import sys

import litellm
from coverup.coverup import main

limit = int(sys.argv.pop(1))
without_limit = litellm.acreate


async def acreate(**request):
    return await without_limit(**request, max_tokens=limit)


litellm.acreate = acreate
sys.exit(main())
