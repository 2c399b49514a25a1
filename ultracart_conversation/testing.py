"""Pytest fixtures for users of this package."""
