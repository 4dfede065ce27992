"""The ways out: Alertmanager's API, mail, and whatever Apprise speaks."""
