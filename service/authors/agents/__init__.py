"""Authors that think: an AutoGen team on a chat model. The only package that imports AutoGen and OpenAI's chat."""
