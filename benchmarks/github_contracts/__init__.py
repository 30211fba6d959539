"""The bot held against what others wrote about GitHub: an emulator, and GitHub's own description.

    python -m benchmarks.github_contracts prism      # every request against GitHub's OpenAPI document
    python -m benchmarks.github_contracts emulate    # App, token, webhook and check run, end to end
    python -m benchmarks.github_contracts action     # the Action's steps, with a real Python and real wheels

The first two come from npm, pinned, into `build/github_contracts`. Exit code 1: something does not hold.
"""
