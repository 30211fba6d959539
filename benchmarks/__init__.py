"""What the product claims about speed, measured: one module a subject, ratios in one run."""
