"""Keeps the beats of a prober's share of the checks."""
