# Pipeline and analysts have separate workgroups, so that neither can read the other's results.
locals {
  questions = "${local.package}/analytics/questions"
}

resource "aws_athena_workgroup" "all" {
  for_each      = local.workgroups
  name          = each.value
  description   = "Queries of the ${each.key} of ${var.name}"
  force_destroy = !var.deletion_protection

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.scanned_gb_limit * pow(1024, 3)

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }
    result_configuration {
      output_location       = "s3://${aws_s3_bucket.results.bucket}/${each.key}/"
      expected_bucket_owner = var.account_id

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = aws_kms_key.data.arn
      }
    }
  }
}

# The project's queries as saved queries. The first line of a file is the description.
resource "aws_athena_named_query" "question" {
  for_each    = fileset(local.questions, "*.sql")
  name        = trimsuffix(each.key, ".sql")
  description = trimprefix(split("\n", file("${local.questions}/${each.key}"))[0], "-- ")
  workgroup   = aws_athena_workgroup.all["analysts"].id
  database    = aws_glue_catalog_database.star.name
  query       = file("${local.questions}/${each.key}")
}

# Permissions to query the star in one workgroup. Athena reads and writes with the permissions of the user.
data "aws_iam_policy_document" "ask" {
  for_each = local.workgroups

  statement {
    sid = "Ask"
    actions = [
      "athena:StartQueryExecution",
      "athena:StopQueryExecution",
      "athena:GetQueryExecution",
      "athena:GetQueryResults",
    ]
    resources = ["${local.athena}:workgroup/${local.workgroups[each.key]}"]
  }

  statement {
    sid     = "ReadTheCatalog"
    actions = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions"]
    resources = [
      "${local.glue}:catalog",
      "${local.glue}:database/${local.database}",
      "${local.glue}:table/${local.database}/*",
    ]
  }

  # Athena reads the default database before every query, and creates it in an account that has none.
  statement {
    sid       = "KnowTheDefaultDatabase"
    actions   = ["glue:GetDatabase", "glue:CreateDatabase"]
    resources = ["${local.glue}:catalog", "${local.glue}:database/default"]
  }

  statement {
    sid       = "ReadTheStar"
    actions   = ["s3:GetObject"]
    resources = ["${local.lake_arn}/${var.lake_prefix}/star/*"]
  }

  statement {
    sid       = "ListTheStar"
    actions   = ["s3:ListBucket"]
    resources = [local.lake_arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${var.lake_prefix}/star/*"]
    }
  }

  statement {
    sid       = "KeepResults"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = ["${local.results_arn}/${each.key}/*"]
  }

  statement {
    sid       = "ListResults"
    actions   = ["s3:ListBucket"]
    resources = [local.results_arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${each.key}/*"]
    }
  }

  statement {
    sid       = "PlaceOfTheBuckets"
    actions   = ["s3:GetBucketLocation"]
    resources = [local.lake_arn, local.results_arn]
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
}
