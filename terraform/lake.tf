resource "aws_s3_bucket" "lake" {
  # checkov:skip=CKV_AWS_18:CloudTrail logs access; an account switches it on once for all its buckets.
  # checkov:skip=CKV_AWS_144:A second region doubles the cost; one refresh recreates all tables except the histories.
  # checkov:skip=CKV2_AWS_62:No one uses events: Dagster knows when a table was published.
  bucket        = "${var.name}-lake-${var.account_id}-${var.region}"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_versioning" "lake" {
  bucket = aws_s3_bucket.lake.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  bucket = aws_s3_bucket_versioning.lake.bucket

  rule {
    id     = "forget-unfinished-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  rule {
    id     = "forget-replaced-tables"
    status = "Enabled"
    filter {
      prefix = "${var.lake_prefix}/"
    }
    noncurrent_version_expiration {
      noncurrent_days           = var.version_days
      newer_noncurrent_versions = 5
    }
  }

  # A run renews its lock every few seconds, and each renewal is a version.
  rule {
    id     = "forget-old-locks"
    status = "Enabled"
    filter {
      prefix = "${var.lake_prefix}/_lock"
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  # Messages of the Spark job to Dagster, and parts of tables that a killed run left.
  dynamic "rule" {
    for_each = toset(["messages", "staging"])
    content {
      id     = "forget-${rule.value}"
      status = "Enabled"
      filter {
        prefix = "${local.spark_prefix}/${rule.value}/"
      }
      expiration {
        days = 7
      }
      noncurrent_version_expiration {
        noncurrent_days = 1
      }
    }
  }
}

resource "aws_s3_bucket" "results" {
  # checkov:skip=CKV_AWS_18:As for the lake.
  # checkov:skip=CKV_AWS_144:A lost result isn't restored; the query is run again.
  # checkov:skip=CKV_AWS_21:The same: results need no versions.
  # checkov:skip=CKV2_AWS_62:As for the lake.
  bucket        = "${var.name}-results-${var.account_id}-${var.region}"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_lifecycle_configuration" "results" {
  bucket = aws_s3_bucket.results.id

  rule {
    id     = "forget-results"
    status = "Enabled"
    filter {}
    expiration {
      days = var.result_days
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

# Configuration of both buckets.
locals {
  buckets = { lake = aws_s3_bucket.lake, results = aws_s3_bucket.results }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "all" {
  for_each = local.buckets
  bucket   = each.value.id

  rule {
    bucket_key_enabled = true # one request to KMS for many objects
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.data.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "all" {
  for_each                = local.buckets
  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "all" {
  for_each = local.buckets
  bucket   = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced" # no ACLs; only policies control access
  }
}

resource "aws_s3_bucket_policy" "all" {
  for_each = local.buckets
  bucket   = aws_s3_bucket_public_access_block.all[each.key].bucket
  policy   = data.aws_iam_policy_document.tls_only[each.key].json
}

data "aws_iam_policy_document" "tls_only" {
  for_each = local.buckets

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
