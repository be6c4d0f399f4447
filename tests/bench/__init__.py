"""What is measured, and printed; nothing here can fail because a machine is slow. `make bench` runs all of it."""
