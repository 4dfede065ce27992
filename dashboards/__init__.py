"""What Prometheus, Alertmanager and Grafana are given, written by code and checked in under `generated/`."""
