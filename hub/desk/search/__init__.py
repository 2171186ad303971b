"""The one box that finds anything."""
