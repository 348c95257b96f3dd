"""Predictions: purchase models, boosting, training rows, backtests, scores."""
