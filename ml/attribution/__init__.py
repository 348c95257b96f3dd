"""Which channels conversions are credited to: journeys of touchpoints, and eight ways to share a conversion."""
