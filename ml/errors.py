"""What can go wrong with a prediction, in words for the person who declared it."""


class PredictionError(ValueError):
    """A prediction that cannot be made from this data; the message says why, with numbers."""
