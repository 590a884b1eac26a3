"""Another business: bikes for hire. A test puts it in the place of the classic cars."""
