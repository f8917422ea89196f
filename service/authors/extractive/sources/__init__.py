"""What stands in a source, as the author reads it: sections of ideas, and which of them a lesson teaches."""
