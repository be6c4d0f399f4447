"""The app as it looks: scenes that are driven with the keyboard, as text for the tests and as pictures for people."""
