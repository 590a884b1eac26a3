"""The asset analytics/sales_report: the notebook, executed, as one page that needs no network."""
