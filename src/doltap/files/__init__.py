"""Model files: plain configurations and arrays to bytes, and back. Nothing here knows a model."""
