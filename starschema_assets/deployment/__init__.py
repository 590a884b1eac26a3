"""The database that Terraform made, for who ran Terraform: its owner's way in, and its reader."""
