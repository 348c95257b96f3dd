"""Which channels conversions are credited to: journeys of touchpoints, and nine ways to share a conversion."""
