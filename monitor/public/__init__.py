"""The public's pages: what works now, where else to get what does not, and what is planned."""
