"""Widgets: plain data in, messages out."""
