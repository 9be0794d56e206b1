"""Records in files, CSV or JSON Lines: read them, write them, or name a folder as a source."""
