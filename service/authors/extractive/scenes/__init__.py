"""The storyboard of a lesson, from its text: one kind of scene a module, put together by `video`."""
