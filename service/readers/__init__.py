"""Readers turn a document into a `Source`: words and structure in, markup, menus and pictures out.

Callers use `service.readers.jail.read_document`, which reads in a child process under limits. The modules beside it
run inside that child: one per format, each appending cleaned text to a `SourceBuilder`, so every span is exact.
"""
