"""Access to the database that Terraform created: the owner's connection and `make reader`."""
