"""A rock volume on disk."""
