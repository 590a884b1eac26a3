"""The catalog that lists the star's tables for queries: AWS Glue's, or an embedded one."""
