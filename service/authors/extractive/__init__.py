"""An author without a language model: reads structure and sentences out of the sources and quotes them exactly."""

from service.authors.extractive.author import ExtractiveAuthor

__all__ = ["ExtractiveAuthor"]
