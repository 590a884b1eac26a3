"""The catalog in which analysts find the star: AWS Glue's, or an embedded one."""
