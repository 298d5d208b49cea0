"""Scores of people: points of their events by the metric table, decaying over time; data quality; the funnel stage."""
