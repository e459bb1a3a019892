"""Runs passes over blocks; knows no science."""
