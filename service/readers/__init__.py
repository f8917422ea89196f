"""Readers turn a document into a `Source`: words and structure in, markup, menus and pictures out.

`read_document` reads in a child process under limits. The modules beside it run inside that child: one per format, each
appending cleaned text to a `SourceBuilder`, so every span is exact.
"""

from service.readers.jail import read_document, read_documents
from service.readers.limits import Limits

__all__ = ["Limits", "read_document", "read_documents"]
