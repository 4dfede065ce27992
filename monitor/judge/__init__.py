"""Judging is arithmetic: pure functions of timelines, and the two loops that feed them."""
