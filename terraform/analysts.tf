# What an analyst may do, to be attached to whatever analysts sign in as: a role, a group, a permission set.
resource "aws_iam_policy" "analyst" {
  name        = "${var.name}-analyst"
  description = "Ask the star in Athena, and nothing else."
  policy      = data.aws_iam_policy_document.analyst.json
}

data "aws_iam_policy_document" "analyst" {
  # checkov:skip=CKV_AWS_356:The two lists of the last statement are of the account: AWS takes no narrower resource.
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

  # The editor's list of databases, and SHOW DATABASES: names and descriptions of all of them, and no table.
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
