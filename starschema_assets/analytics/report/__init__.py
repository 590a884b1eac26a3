"""The asset analytics/sales_report: the executed notebook as one page, which works offline."""
