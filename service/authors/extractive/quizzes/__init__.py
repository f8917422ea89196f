"""The questions of a lesson: one kind of item a module, chosen by `quiz`."""
