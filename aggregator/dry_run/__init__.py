"""Finds out what would happen without storing or publishing anything."""
