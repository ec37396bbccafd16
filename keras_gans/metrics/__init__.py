"""Measures of samples."""
