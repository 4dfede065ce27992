"""The state of the world for Prometheus."""
