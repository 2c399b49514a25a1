"""Catching up by REST: which conversations changed, what is new in them, and what was handed over already."""
