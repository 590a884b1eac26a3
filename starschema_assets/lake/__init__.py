"""The lake: stages tables out of readers' sight, publishes them atomically, and restores them."""
