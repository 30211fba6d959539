"""Pages: a review, runs of the record, and what a committee is worth, each as one HTML file by itself."""
