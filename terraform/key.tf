# One key encrypts all data of the pipeline: lake, results, logs, alerts, database.
resource "aws_kms_key" "data" {
  description             = "${var.name}: lake, query results, logs, alerts and database"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "data" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.data.key_id
}

data "aws_iam_policy_document" "key" {
  # checkov:skip=CKV_AWS_109:A key's policy has the key itself as its only resource, which is written as a wildcard.
  # checkov:skip=CKV_AWS_111:The same.
  # checkov:skip=CKV_AWS_356:The same.

  # Without this statement, no one could administer the key, and IAM policies wouldn't apply to it.
  statement {
    sid       = "AccountByItsPolicies"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["${local.arn}:iam::${var.account_id}:root"]
    }
  }

  statement {
    sid       = "LogsOfThisProject"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }
    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = [for group in local.log_groups : "${local.logs}:${group}"]
    }
  }
}
