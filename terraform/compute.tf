# Where the Glue Spark job works: it reads raw tables from the lake and writes star tables to it. It needs no
# connection to the database: the machine that runs Dagster reads that.
locals {
  spark_prefix = "${var.lake_prefix}/_spark" # begins with _: the lake's own, which no reader looks into
  spark_code   = "${local.spark_prefix}/code"
  # Glue makes these names of the names of role and security configuration.
  log_groups = {
    crawler      = "/aws-glue/crawlers-role/${var.name}-crawler-${var.name}"
    spark_output = "/aws-glue/jobs/${var.name}-role/${var.name}-spark/output"
    spark_error  = "/aws-glue/jobs/${var.name}-role/${var.name}-spark/error"
  }
}

resource "aws_glue_security_configuration" "encrypted" {
  name = var.name

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = aws_kms_key.data.arn
    }
    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = aws_kms_key.data.arn
    }
    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = aws_kms_key.data.arn
    }
  }
}

# Made here, not by Glue, so that they end: Glue's own would be kept for ever.
resource "aws_cloudwatch_log_group" "all" {
  # checkov:skip=CKV_AWS_338:How long logs are kept is the variable log_days; a year is no use for a daily crawl.
  for_each          = local.log_groups
  name              = each.value
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.data.arn
}

resource "aws_iam_role" "spark" {
  name               = "${var.name}-spark"
  description        = "What the Glue Spark job may do: read raw tables, write star tables."
  assume_role_policy = data.aws_iam_policy_document.glue_trust.json
}

resource "aws_iam_role_policy" "spark" {
  name   = "make-the-star"
  role   = aws_iam_role.spark.id
  policy = data.aws_iam_policy_document.spark.json
}

data "aws_iam_policy_document" "spark" {
  statement {
    sid       = "ReadTheLake"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = [for stage in ["raw", "star"] : "${local.lake_arn}/${var.lake_prefix}/${stage}/*"]
  }

  statement {
    sid       = "WriteTheStar"
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${local.lake_arn}/${var.lake_prefix}/star/*"]
  }

  statement {
    sid       = "ReadItsCode"
    actions   = ["s3:GetObject"]
    resources = ["${local.lake_arn}/${local.spark_code}/*"]
  }

  statement {
    sid       = "TalkToDagster"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.lake_arn}/${local.spark_prefix}/messages/*"]
  }

  statement {
    sid       = "ListTheLake"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
    resources = [local.lake_arn]
  }

  statement {
    sid       = "UseTheKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.key_arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }

  statement {
    sid     = "WriteItsLogs"
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"]
    resources = flatten([
      for group in [local.log_groups.spark_output, local.log_groups.spark_error] : ["${local.logs}:${group}", "${local.logs}:${group}:*"]
    ])
  }
}
