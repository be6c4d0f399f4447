"""The host side of the builder."""
