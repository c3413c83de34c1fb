"""The version of the library."""

__version__ = "0.1.0"

NEWER_VERSION = "install a newer version of shotstore, as its README says"
"""What to do about what a newer shotstore has written"""
