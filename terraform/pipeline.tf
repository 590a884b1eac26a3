# The role of the machine that runs Dagster. It can't delete a table or a version of a table.
resource "aws_iam_role" "pipeline" {
  name                 = "${var.name}-pipeline"
  description          = "Role of Dagster: publishes to the lake, crawls, runs Spark, queries, alerts."
  max_session_duration = 12 * 3600 # longer than any refresh
  assume_role_policy   = data.aws_iam_policy_document.pipeline_trust.json

  lifecycle {
    precondition {
      condition     = var.pipeline_on_ec2 || length(var.pipeline_principals) > 0
      error_message = "No one could assume the pipeline's role: set pipeline_on_ec2 = true, or list users or roles in pipeline_principals."
    }
  }
}

data "aws_iam_policy_document" "pipeline_trust" {
  dynamic "statement" {
    for_each = var.pipeline_on_ec2 ? ["ec2"] : []
    content {
      actions = ["sts:AssumeRole"]
      principals {
        type        = "Service"
        identifiers = ["ec2.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.pipeline_principals) > 0 ? ["named"] : []
    content {
      actions = ["sts:AssumeRole"]
      principals {
        type        = "AWS"
        identifiers = var.pipeline_principals
      }
    }
  }
}

resource "aws_iam_instance_profile" "pipeline" {
  count = var.pipeline_on_ec2 ? 1 : 0
  name  = aws_iam_role.pipeline.name
  role  = aws_iam_role.pipeline.name
}

resource "aws_iam_role_policy" "pipeline" {
  name   = "run-the-pipeline"
  role   = aws_iam_role.pipeline.id
  policy = data.aws_iam_policy_document.pipeline.json
}

# For `make query` and the notebook.
resource "aws_iam_role_policy" "pipeline_ask" {
  name   = "ask-the-star"
  role   = aws_iam_role.pipeline.id
  policy = data.aws_iam_policy_document.ask["pipeline"].json
}

data "aws_iam_policy_document" "pipeline" {
  statement {
    sid       = "Publish"
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:AbortMultipartUpload"]
    resources = [for stage in ["raw", "star"] : "${local.lake_arn}/${var.lake_prefix}/${stage}/*"]
  }

  # The report. `aws s3 presign` on the machine needs the permission to read it.
  statement {
    sid       = "PublishTheReport"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.lake_arn}/${var.lake_prefix}/analytics/*"]
  }

  statement {
    sid       = "HoldTheLock"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.lake_arn}/${var.lake_prefix}/_lock"]
  }

  # Not restricted by prefix: otherwise S3 would report a missing object as forbidden.
  statement {
    sid       = "LookIntoTheLake"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketVersioning"]
    resources = [local.lake_arn]
  }

  statement {
    sid       = "UseTheKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.key_arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values = [
        for service in ["s3", "sns", "secretsmanager"] : "${service}.${var.region}.amazonaws.com"
      ]
    }
  }

  statement {
    sid       = "Crawl"
    actions   = ["glue:GetCrawler", "glue:StartCrawler"]
    resources = ["${local.glue}:crawler/${local.crawler}"]
  }

  statement {
    sid       = "RunSpark"
    actions   = ["glue:StartJobRun", "glue:GetJobRun", "glue:BatchStopJobRun"]
    resources = ["${local.glue}:job/${local.spark_job}"]
  }

  statement {
    sid       = "ListenToSpark"
    actions   = ["s3:GetObject"]
    resources = ["${local.lake_arn}/${local.spark_prefix}/messages/*"]
  }

  statement {
    sid       = "Alert"
    actions   = ["sns:Publish"]
    resources = [local.topic_arn]
  }

  dynamic "statement" {
    for_each = local.source == null ? [] : ["source"]
    content {
      sid       = "SignInToTheSource"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [local.source.secret]
    }
  }

  dynamic "statement" {
    for_each = try(var.existing_source.secret_kms_key_arn, null) == null ? [] : ["key"]
    content {
      sid       = "DecryptTheSecret"
      actions   = ["kms:Decrypt"]
      resources = [var.existing_source.secret_kms_key_arn]
      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${var.region}.amazonaws.com"]
      }
    }
  }
}
