"""What a committee is worth, in numbers: no model, no file and no diff is known here.

The unit of judgement is the hunk; hunks of one case (one diff, seen in one prompt) are not independent of
each other, so every interval counts cases.
"""
