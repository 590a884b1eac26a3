# Where the Glue Spark job works: it reads raw tables from the lake and writes star tables to it. It needs no
# connection to the database: the machine that runs Dagster reads that.
locals {
  spark_prefix = "${var.lake_prefix}/_spark" # begins with _: the lake's own, which no reader looks into
  spark_code   = "${local.spark_prefix}/code"
  spark_uri    = "s3://${aws_s3_bucket.lake.bucket}/${local.spark_code}"

  # Each under the hash of its content, so that new code never takes the place of what a run has read half of. A run
  # that hasn't fetched its code when an apply removes it fails, and leaves the star as it was.
  dist   = "${path.module}/../dist"
  script = "${local.package}/star/job.py"
  wheel  = one(fileset(local.dist, "*.whl"))
  spark_files = var.spark.enabled && local.wheel != null ? {
    for file in [local.script, "${local.dist}/${local.wheel}"] :
    basename(file) => { path = file, key = "${substr(filesha256(file), 0, 16)}/${basename(file)}" }
  } : {}
  spark_modules = regexall("(?m)^[a-z].*==.*$", file("${path.module}/../requirements-glue.lock"))
  # Glue makes these names of the names of role and security configuration.
  log_groups = merge({
    crawler      = "/aws-glue/crawlers-role/${var.name}-crawler-${var.name}"
    spark_output = "/aws-glue/jobs/${var.name}-role/${var.name}-spark/output"
    spark_error  = "/aws-glue/jobs/${var.name}-role/${var.name}-spark/error"
  }, local.database_log_groups)
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

# Made here, not by Glue and RDS, so that they end: their own would be kept for ever.
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

resource "aws_s3_object" "spark" {
  for_each    = local.spark_files
  bucket      = aws_s3_bucket.lake.bucket
  key         = "${local.spark_code}/${each.value.key}"
  source      = each.value.path
  source_hash = filesha256(each.value.path)
  kms_key_id  = aws_kms_key.data.arn

  lifecycle {
    create_before_destroy = true # the job never names code that isn't there
  }
}

resource "aws_glue_job" "star" {
  count                  = var.spark.enabled ? 1 : 0
  name                   = local.spark_job
  description            = "Makes the star from the lake's raw tables; Dagster starts it."
  role_arn               = aws_iam_role.spark.arn
  glue_version           = "5.0"
  worker_type            = var.spark.worker_type
  number_of_workers      = var.spark.workers
  timeout                = var.spark.timeout_minutes
  max_retries            = 0 # Dagster decides, and shows why
  security_configuration = aws_glue_security_configuration.encrypted.name

  command {
    script_location = "${local.spark_uri}/${try(local.spark_files["job.py"].key, "")}"
    python_version  = "3"
  }

  default_arguments = {
    "--enable-auto-scaling" = "true"
    "--additional-python-modules" = join(",", concat(
      ["${local.spark_uri}/${try(local.spark_files[local.wheel].key, "")}"], local.spark_modules,
    ))
    "--python-modules-installer-option" = "--no-deps" # what is listed is all that the job imports
  }

  lifecycle {
    precondition {
      condition     = local.wheel != null
      error_message = "The job's wheel isn't built: run `make wheel` first."
    }
  }

  depends_on = [aws_s3_object.spark, aws_iam_role_policy.spark, aws_cloudwatch_log_group.all]
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

  # The parts of tables that are being made; Spark marks folders by objects named …_$folder$.
  statement {
    sid     = "Stage"
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = [
      "${local.lake_arn}/${local.spark_prefix}/staging*",
      "${local.lake_arn}/${local.spark_prefix}_$folder$",
    ]
  }

  statement {
    sid       = "HoldTheLock"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.lake_arn}/${var.lake_prefix}/_lock"]
  }

  # Who takes the lock removes unfinished uploads that a killed run left, those of raw tables too.
  statement {
    sid       = "Sweep"
    actions   = ["s3:AbortMultipartUpload"]
    resources = ["${local.lake_arn}/${var.lake_prefix}/raw/*"]
  }

  statement {
    sid       = "ReadItsCode"
    actions   = ["s3:GetObject"]
    resources = ["${local.lake_arn}/${local.spark_code}/*"]
  }

  statement {
    sid       = "TalkToDagster"
    actions   = ["s3:PutObject"]
    resources = ["${local.lake_arn}/${local.spark_prefix}/messages/*"]
  }

  # Versions too: whether there was a history that isn't there any more.
  statement {
    sid = "ListTheLake"
    actions = [
      "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"
    ]
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
