"""The product told as steps: each reads, decides, writes, and leaves the next one to the job table."""
