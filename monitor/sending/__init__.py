"""Sends transactions out of files: reads them by line, remembers how far it came, by Kafka or over HTTP."""
