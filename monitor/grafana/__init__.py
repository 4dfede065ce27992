"""Dashboards for somebody's own Grafana: as files, or pushed to it."""
