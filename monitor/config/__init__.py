"""Files into the model, or every mistake at once."""
