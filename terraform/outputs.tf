locals {
  settings = merge(
    {
      AWS_DEFAULT_REGION          = var.region
      STARSCHEMA_LAKE_URI         = "s3://${aws_s3_bucket.lake.bucket}/${var.lake_prefix}"
      STARSCHEMA_GLUE_CRAWLER     = aws_glue_crawler.star.name
      STARSCHEMA_GLUE_DATABASE    = aws_glue_catalog_database.star.name
      STARSCHEMA_ATHENA_WORKGROUP = aws_athena_workgroup.all["pipeline"].name
      STARSCHEMA_ALERT_TOPIC      = aws_sns_topic.alerts.arn
    },
    var.spark.enabled ? { STARSCHEMA_ENGINE = "glue", STARSCHEMA_GLUE_JOB = local.spark_job } : {},
    local.source == null ? {} : {
      STARSCHEMA_SOURCE_URL    = "mysql+pymysql://${local.source.host}:${local.source.port}/${local.source.database}"
      STARSCHEMA_SOURCE_SECRET = local.source.secret
    },
  )
}

output "dotenv" {
  description = "Settings of the pipeline, as lines of an environment file. They contain no passwords."
  value       = local.dotenv
}

output "analyst_dotenv" {
  description = "Settings for analysts who query Athena from their own machines."
  value = join("", [
    for name, value in {
      AWS_DEFAULT_REGION          = var.region
      STARSCHEMA_GLUE_DATABASE    = aws_glue_catalog_database.star.name
      STARSCHEMA_ATHENA_WORKGROUP = aws_athena_workgroup.all["analysts"].name
    } : "${name}=${value}\n"
  ])
}

output "pipeline_role_arn" {
  description = "ARN of the IAM role for the machine that runs Dagster."
  value       = aws_iam_role.pipeline.arn
}

output "pipeline_instance_profile" {
  description = "Name of the instance profile for an EC2 instance that runs Dagster; null unless pipeline_on_ec2."
  value       = one(aws_iam_instance_profile.pipeline[*].name)
}

output "pipeline_security_group_id" {
  description = "ID of the security group for the machine that runs Dagster; null unless the database is in a VPC."
  value       = one(values(aws_security_group.pipeline)[*].id)
}

output "analyst_policy_arn" {
  description = "ARN of the policy to attach to the analysts' group, role or permission set."
  value       = aws_iam_policy.analyst.arn
}

output "database" {
  description = "The new database, for `make reader`: its endpoint, the owner's secret (managed by RDS) and the secret of the pipeline's user; null without new_database."
  value = var.new_database == null ? null : {
    account_id    = var.account_id
    region        = var.region
    host          = aws_db_instance.source[0].address
    port          = aws_db_instance.source[0].port
    name          = var.new_database.database
    owner_secret  = try(aws_db_instance.source[0].master_user_secret[0].secret_arn, null)
    reader_secret = aws_secretsmanager_secret.reader[0].arn
  }
}

output "spark" {
  description = "Configuration of the Glue Spark job: name, role, security configuration, and the locations of code and messages."
  value = {
    job                    = local.spark_job
    role_arn               = aws_iam_role.spark.arn
    security_configuration = aws_glue_security_configuration.encrypted.name
    code_uri               = "s3://${aws_s3_bucket.lake.bucket}/${local.spark_code}"
    messages_uri           = "s3://${aws_s3_bucket.lake.bucket}/${local.spark_prefix}/messages"
  }
}
