"""What analysts ask of the star."""
