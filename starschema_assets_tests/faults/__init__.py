"""What goes wrong around the pipeline, made to go wrong: kills, full disks, lost servers."""
