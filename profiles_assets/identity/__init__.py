"""Identity: evidence of ids seen together, resolved into people with stable ids."""
