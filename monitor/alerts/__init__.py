"""Telling people: the outbox delivered to Alertmanager and to receivers, in their language."""
