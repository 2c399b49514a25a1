"""The pipe that every request takes."""
