"""The text of a lesson, from the passages of its plan."""
