"""kimitui: configure and build Kimigayo OS images."""

__version__ = "0.1.0"
