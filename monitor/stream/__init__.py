"""The only room that speaks Kafka."""
