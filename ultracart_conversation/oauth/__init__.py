"""OAuth: tokens, how they are kept fresh, and where they are stored."""
