# The Glue Spark job reads raw tables from the lake and writes star tables to it. It needs no connection to the
# database, because the machine that runs Dagster reads the database.
locals {
  spark_prefix = "${var.lake_prefix}/_spark" # internal to the lake: readers ignore names that begin with _
  spark_code   = "${local.spark_prefix}/code"
  spark_uri    = "s3://${aws_s3_bucket.lake.bucket}/${local.spark_code}"

  # Each file is under the hash of its content, so that new code never replaces code that a run is reading. If an apply
  # removes code before a run has read it, the run fails and the star doesn't change.
  dist   = "${path.module}/../dist"
  script = "${local.package}/star/job.py"
  wheel  = one(fileset(local.dist, "*.whl"))
  spark_files = var.spark.enabled && local.wheel != null ? {
    for file in [local.script, "${local.dist}/${local.wheel}"] :
    basename(file) => { path = file, key = "${substr(filesha256(file), 0, 16)}/${basename(file)}" }
  } : {}
  spark_modules = regexall("(?m)^[a-z].*==.*$", file("${path.module}/../requirements-glue.lock"))
  # Glue derives these names from the names of role and security configuration.
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

# Created here, because Glue and RDS would create log groups that are kept forever.
resource "aws_cloudwatch_log_group" "all" {
  # checkov:skip=CKV_AWS_338:How long logs are kept is the variable log_days; a year is no use for a daily crawl.
  for_each          = local.log_groups
  name              = each.value
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.data.arn
}

resource "aws_iam_role" "spark" {
  name               = "${var.name}-spark"
  description        = "Role of the Glue Spark job: reads raw tables, writes star tables."
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
    create_before_destroy = true # the job never refers to deleted code
  }
}

resource "aws_glue_job" "star" {
  count                  = var.spark.enabled ? 1 : 0
  name                   = local.spark_job
  description            = "Computes the star from the lake's raw tables; Dagster starts it."
  role_arn               = aws_iam_role.spark.arn
  glue_version           = "5.0"
  worker_type            = var.spark.worker_type
  number_of_workers      = var.spark.workers
  timeout                = var.spark.timeout_minutes
  max_retries            = 0 # Dagster decides about retries and shows the cause
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
    "--python-modules-installer-option" = "--no-deps" # the list contains all modules that the job imports
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

  # Parts of staged tables. Spark also writes objects named …_$folder$ to mark folders.
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

  # The holder of the lock aborts unfinished uploads of killed runs, including those of raw tables.
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

  # Also versions, to find out whether a history existed and was deleted.
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
