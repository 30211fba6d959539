"""Proof in a review: what behaves differently, shown by running both sides.

What runs code is in `proving` and imported only when a proof is on; everything else works on the facts
that came of it, so that a review can be replayed without running anything.
"""
