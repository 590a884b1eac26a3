"""Charts and tables of notebook and report. The browser draws them, without a kernel."""
