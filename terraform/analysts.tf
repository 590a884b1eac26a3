# Permissions of an analyst. Attach this policy to the analysts' role, group or permission set.
resource "aws_iam_policy" "analyst" {
  name        = "${var.name}-analyst"
  description = "Run queries on the star in Athena, and nothing else."
  policy      = data.aws_iam_policy_document.analyst.json
}

data "aws_iam_policy_document" "analyst" {
  # checkov:skip=CKV_AWS_356:The two actions of the last statement list the account's resources; AWS can't restrict them.
  source_policy_documents = [data.aws_iam_policy_document.ask["analysts"].json]

  statement {
    sid = "UseTheEditor"
    actions = [
      "athena:GetWorkGroup",
      "athena:ListQueryExecutions",
      "athena:BatchGetQueryExecution",
      "athena:GetQueryResultsStream",
      "athena:ListNamedQueries",
      "athena:BatchGetNamedQuery",
      "athena:GetNamedQuery",
    ]
    resources = ["${local.athena}:workgroup/${local.workgroups["analysts"]}"]
  }

  statement {
    sid       = "BrowseTheCatalog"
    actions   = ["athena:GetDataCatalog", "athena:GetDatabase", "athena:GetTableMetadata", "athena:ListDatabases", "athena:ListTableMetadata"]
    resources = ["${local.athena}:datacatalog/AwsDataCatalog"]
  }

  # For the editor's list of databases, and SHOW DATABASES. Shows names and descriptions of all databases, but no table.
  statement {
    sid       = "ListDatabases"
    actions   = ["glue:GetDatabases"]
    resources = ["${local.glue}:catalog", "${local.glue}:database/*"]
  }

  statement {
    sid       = "ChooseInTheEditor"
    actions   = ["athena:ListDataCatalogs", "athena:ListWorkGroups"]
    resources = ["*"]
  }
}
