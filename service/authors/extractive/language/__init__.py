"""English as the author knows it: words, sentences, what they do, and their short forms; nothing about a course."""
