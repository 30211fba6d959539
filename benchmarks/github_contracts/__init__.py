"""The bot held against what others wrote about GitHub: an emulator, and GitHub's own description.

    python -m benchmarks.github_contracts prism      # every request against GitHub's OpenAPI document
    python -m benchmarks.github_contracts emulate    # App, token, webhook and check run, end to end

Both come from npm, pinned, into `build/github_contracts`. Exit code 1: something does not hold.
"""
