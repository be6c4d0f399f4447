"""Services as data: read once from a definition or a preset, checked, put in order, rendered for every init."""
