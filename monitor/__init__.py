"""The continuity monitor: measures, judges, accounts and tells. ARCHITECTURE.md is the map."""
