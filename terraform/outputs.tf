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
  description = "The settings of the pipeline, as lines of an environment file. No secret is among them."
  value       = local.dotenv
}

output "analyst_dotenv" {
  description = "The settings with which analysts ask Athena from their own machines."
  value = join("", [
    for name, value in {
      AWS_DEFAULT_REGION          = var.region
      STARSCHEMA_GLUE_DATABASE    = aws_glue_catalog_database.star.name
      STARSCHEMA_ATHENA_WORKGROUP = aws_athena_workgroup.all["analysts"].name
    } : "${name}=${value}\n"
  ])
}

output "pipeline_role_arn" {
  description = "The role that the machine takes which runs Dagster."
  value       = aws_iam_role.pipeline.arn
}

output "pipeline_instance_profile" {
  description = "The instance profile of an EC2 instance that runs Dagster, if pipeline_on_ec2."
  value       = one(aws_iam_instance_profile.pipeline[*].name)
}

output "pipeline_security_group_id" {
  description = "The security group of the machine that runs Dagster, if the database is in a VPC."
  value       = one(values(aws_security_group.pipeline)[*].id)
}

output "analyst_policy_arn" {
  description = "The policy to attach to what analysts sign in as."
  value       = aws_iam_policy.analyst.arn
}

output "database" {
  description = "The new database, with the secrets of its owner, which RDS keeps, and of the pipeline's user: for `make reader`."
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
  description = "What the Glue Spark job is made with: role, security configuration, and where its code and messages are."
  value = {
    job                    = local.spark_job
    role_arn               = aws_iam_role.spark.arn
    security_configuration = aws_glue_security_configuration.encrypted.name
    code_uri               = "s3://${aws_s3_bucket.lake.bucket}/${local.spark_code}"
    messages_uri           = "s3://${aws_s3_bucket.lake.bucket}/${local.spark_prefix}/messages"
  }
}
