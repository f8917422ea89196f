"""The slides, one drawing function for each kind of scene; `page.draw` is their door."""
