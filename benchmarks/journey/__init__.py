"""Complete Journey, a year of a grocer's baskets, as a project."""
