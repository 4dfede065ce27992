"""Pages, API and live updates."""
