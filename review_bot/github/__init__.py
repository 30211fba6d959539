"""Reviews of pull requests on GitHub: reading one, posting once, saying nothing twice."""
