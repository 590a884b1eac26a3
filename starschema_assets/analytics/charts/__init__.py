"""Charts and tables that a notebook and the report show alike, drawn by the browser alone."""
