"""The embedded run: PostgreSQL, Kafka and a sample fleet on loopback."""
