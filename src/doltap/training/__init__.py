"""The engine: from arrays to moved weights, as one compiled program."""
