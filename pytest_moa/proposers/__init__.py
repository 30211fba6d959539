"""Members that propose tests without a model: each proposes what it can observe by running the code."""
