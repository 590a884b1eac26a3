"""What is measured: scripts, each run as a process of its own that writes to a folder."""
