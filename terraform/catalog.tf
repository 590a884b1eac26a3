resource "aws_glue_catalog_database" "star" {
  name        = local.database
  description = "The star's tables in ${aws_s3_bucket.lake.bucket}, as of the last crawl."
}

resource "aws_glue_crawler" "star" {
  name                   = local.crawler
  description            = "Catalogs the star; Dagster starts it after each publication."
  role                   = aws_iam_role.crawler.arn
  database_name          = aws_glue_catalog_database.star.name
  security_configuration = aws_glue_security_configuration.encrypted.name

  # One target per table: with one target for the whole star, Glue may treat the folders as partitions of one table.
  dynamic "s3_target" {
    for_each = local.star_tables
    content {
      path = "s3://${aws_s3_bucket.lake.bucket}/${var.lake_prefix}/star/${s3_target.value}/"
    }
  }

  # Crawl all folders each time: a crawl of only new folders would never see a changed column.
  recrawl_policy {
    recrawl_behavior = "CRAWL_EVERYTHING"
  }

  # Changed columns are updated in the catalog. Deleted tables stay; the check no_stray_tables reports them.
  schema_change_policy {
    update_behavior = "UPDATE_IN_DATABASE"
    delete_behavior = "LOG"
  }

  configuration = jsonencode({
    Version  = 1
    Grouping = { TableGroupingPolicy = "CombineCompatibleSchemas" }
    CrawlerOutput = {
      Partitions = { AddOrUpdateBehavior = "InheritFromTable" }
    }
  })

  depends_on = [aws_iam_role_policy.crawler, aws_cloudwatch_log_group.all]
}

resource "aws_iam_role" "crawler" {
  name               = "${var.name}-crawler"
  description        = "Role of the Glue crawler: reads the star, writes its catalog."
  assume_role_policy = data.aws_iam_policy_document.glue_trust.json
}

resource "aws_iam_role_policy" "crawler" {
  name   = "crawl-the-star"
  role   = aws_iam_role.crawler.id
  policy = data.aws_iam_policy_document.crawler.json
}

data "aws_iam_policy_document" "glue_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["glue.amazonaws.com"]
    }
    # No condition on aws:SourceAccount: AWS doesn't document that Glue sends it, and no other account can pass this role.
  }
}

data "aws_iam_policy_document" "crawler" {
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
    sid       = "PlaceOfTheBucket"
    actions   = ["s3:GetBucketLocation"]
    resources = [local.lake_arn]
  }

  statement {
    sid       = "DecryptTheLake"
    actions   = ["kms:Decrypt"]
    resources = [local.key_arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }

  statement {
    sid = "WriteTheCatalog"
    actions = [
      "glue:GetDatabase",
      "glue:GetTable",
      "glue:GetTables",
      "glue:CreateTable",
      "glue:UpdateTable",
      "glue:GetPartition",
      "glue:GetPartitions",
      "glue:BatchGetPartition",
    ]
    resources = [
      "${local.glue}:catalog",
      "${local.glue}:database/${local.database}",
      "${local.glue}:table/${local.database}/*",
    ]
  }

  statement {
    sid       = "WriteItsLog"
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"]
    resources = ["${local.logs}:${local.log_groups.crawler}", "${local.logs}:${local.log_groups.crawler}:*"]
  }
}
