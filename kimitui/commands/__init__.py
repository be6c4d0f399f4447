"""The commands: each adds its options to a parser and runs with what was parsed. No logic lives here."""
