"""The self-hosted GitHub App: deliveries in, one review for each push out."""
