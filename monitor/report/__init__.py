"""The committee's report: one frozen set of numbers, and the ways to read it."""
