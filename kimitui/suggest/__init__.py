"""Which applets and packages shell scripts need: scripts in, the smallest set out."""
