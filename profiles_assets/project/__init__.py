"""What a user declares: typed specs, the loader that reads them, and the errors it reports."""
