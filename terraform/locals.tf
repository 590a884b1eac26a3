data "aws_partition" "here" {}

locals {
  arn    = "arn:${data.aws_partition.here.partition}"
  glue   = "${local.arn}:glue:${var.region}:${var.account_id}"
  logs   = "${local.arn}:logs:${var.region}:${var.account_id}:log-group"
  athena = "${local.arn}:athena:${var.region}:${var.account_id}"

  # ARNs that the policies refer to. In `terraform test`, a plan renders a policy only if these are known.
  lake_arn    = aws_s3_bucket.lake.arn
  results_arn = aws_s3_bucket.results.arn
  key_arn     = aws_kms_key.data.arn
  topic_arn   = aws_sns_topic.alerts.arn

  crawler    = "${var.name}-star"
  spark_job  = "${var.name}-star"
  database   = replace(var.name, "-", "_") # a hyphen would have to be quoted in SQL
  workgroups = { analysts = "${var.name}-analysts", pipeline = "${var.name}-pipeline" }

  # The star's tables: one per SQL file (dim_customers.sql is dim_customers), and one history for each dimension whose
  # contract tracks columns.
  package = "${path.module}/../starschema_assets"
  models  = [for file in fileset("${local.package}/star", "*.sql") : trimsuffix(file, ".sql")]
  star_tables = toset(concat(local.models, [
    for model in local.models : "${model}_history"
    if strcontains(file("${local.package}/star/${model}.py"), "tracked=Tracked(")
  ]))
}
