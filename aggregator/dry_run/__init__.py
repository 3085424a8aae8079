"""What would happen, found out without storing or publishing anything."""
