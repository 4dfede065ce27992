"""Probes: one module a kind, each asks one question of one target and answers with a value."""
