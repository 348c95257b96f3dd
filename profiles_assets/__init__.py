"""Customer profiles as Dagster software-defined assets; one folder per stage, in the order data flows."""
