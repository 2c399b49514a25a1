"""Following thousands of conversations: when to look, what to read, and how that goes."""
