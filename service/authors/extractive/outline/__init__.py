"""The plan of a course: lessons of a few minutes, their titles, their objectives, the terms they name."""
