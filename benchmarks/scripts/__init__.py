"""The measured scripts. Each runs in a separate process and writes to a folder."""
