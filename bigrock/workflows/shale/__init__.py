"""Shale: from a FIB-SEM stack and a few annotated slices to organic porosity."""
