"""Changes to what is written: as an instructor wishes, or as a newer version of a source asks."""
