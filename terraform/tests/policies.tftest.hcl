# Tests for the policies, which the real provider renders without an account.

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  account_id          = "123456789012"
  region              = "eu-central-1"
  pipeline_principals = ["arn:aws:iam::123456789012:user/dagster"]
  existing_source = {
    host               = "db.example.com"
    database           = "classicmodels"
    secret_arn         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-a1B2c3"
    secret_kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/secret"
  }
}

# A plan renders a policy only if all ARNs in it are known.
override_resource {
  target          = aws_s3_bucket.lake
  override_during = plan
  values          = { arn = "arn:aws:s3:::lake", id = "lake", bucket = "lake" }
}

override_resource {
  target          = aws_s3_bucket.results
  override_during = plan
  values          = { arn = "arn:aws:s3:::results", id = "results", bucket = "results" }
}

override_resource {
  target          = aws_kms_key.data
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-central-1:123456789012:key/data" }
}

override_resource {
  target          = aws_sns_topic.alerts
  override_during = plan
  values          = { arn = "arn:aws:sns:eu-central-1:123456789012:starschema-alerts" }
}

run "no_policy_of_a_role_has_a_wildcard_where_aws_takes_a_name" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for policy in [
        data.aws_iam_policy_document.pipeline, data.aws_iam_policy_document.ask["pipeline"],
        data.aws_iam_policy_document.crawler, data.aws_iam_policy_document.spark, data.aws_iam_policy_document.analyst,
        data.aws_iam_policy_document.machine,
        ] : [
        for statement in jsondecode(policy.json).Statement : [
          for action in flatten([statement.Action]) : !strcontains(action, "*")
        ]
      ]
    ]))
    error_message = "An action has a wildcard."
  }

  assert {
    condition = alltrue(flatten([
      for policy in [
        data.aws_iam_policy_document.pipeline, data.aws_iam_policy_document.ask["pipeline"],
        data.aws_iam_policy_document.crawler, data.aws_iam_policy_document.spark, data.aws_iam_policy_document.analyst,
        data.aws_iam_policy_document.machine,
        ] : [
        for statement in jsondecode(policy.json).Statement : [
          for resource in flatten([statement.Resource]) :
          can(regex("^arn:aws:[a-z0-9-]+:[a-z0-9-]*:(123456789012)?:[^*]", resource)) || contains(["ChooseInTheEditor", "BeReachedBySessionManager"], statement.Sid)
        ]
      ]
    ]))
    error_message = "A resource is a wildcard, although AWS can restrict the actions of its statement."
  }
}

run "the_pipeline_publishes_and_deletes_no_table" {
  command = plan

  assert {
    condition = toset(flatten([
      for statement in jsondecode(data.aws_iam_policy_document.pipeline.json).Statement : statement.Resource
      if contains(flatten([statement.Action]), "s3:PutObject")
      ])) == toset([
      "arn:aws:s3:::lake/lake/raw/*", "arn:aws:s3:::lake/lake/star/*", "arn:aws:s3:::lake/lake/analytics/*", "arn:aws:s3:::lake/lake/_lock",
    ])
    error_message = "The pipeline can write outside of its prefixes."
  }

  assert {
    condition = [
      for statement in jsondecode(data.aws_iam_policy_document.pipeline.json).Statement : statement.Resource
      if contains(flatten([statement.Action]), "secretsmanager:GetSecretValue")
    ] == ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-a1B2c3"]
    error_message = "The pipeline can read another secret."
  }

  assert {
    condition = toset(flatten([
      for statement in jsondecode(data.aws_iam_policy_document.pipeline.json).Statement : statement.Resource
      if contains(flatten([statement.Action]), "kms:Decrypt")
    ])) == toset(["arn:aws:kms:eu-central-1:123456789012:key/data", "arn:aws:kms:eu-central-1:123456789012:key/secret"])
    error_message = "The pipeline can use other keys than those of the data and the secret."
  }
}

run "an_analyst_reads_the_star_and_no_raw_table" {
  command = plan

  assert {
    condition = toset(flatten([
      for statement in jsondecode(data.aws_iam_policy_document.analyst.json).Statement : statement.Resource
      if contains(flatten([statement.Action]), "s3:GetObject")
    ])) == toset(["arn:aws:s3:::lake/lake/star/*", "arn:aws:s3:::results/analysts/*"])
    error_message = "An analyst can read other objects than the star and query results."
  }

  assert {
    condition = flatten([
      for statement in jsondecode(data.aws_iam_policy_document.analyst.json).Statement : statement.Resource
      if contains(flatten([statement.Action]), "s3:PutObject")
    ]) == ["arn:aws:s3:::results/analysts/*"]
    error_message = "An analyst can write other objects than query results."
  }

  assert {
    condition = flatten([
      for statement in jsondecode(data.aws_iam_policy_document.analyst.json).Statement : statement.Resource
      if contains(flatten([statement.Action]), "glue:CreateDatabase")
    ]) == ["arn:aws:glue:eu-central-1:123456789012:database/default", "arn:aws:glue:eu-central-1:123456789012:catalog"]
    error_message = "An analyst can create other databases than the default one, which Athena needs."
  }
}

# All actions of all roles, so that an added action needs a change here.
run "a_role_has_these_actions_and_no_other" {
  command = plan

  assert {
    condition = toset(flatten(jsondecode(data.aws_iam_policy_document.ask["pipeline"].json).Statement[*].Action)) == toset([
      "athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution", "athena:StopQueryExecution",
      "glue:CreateDatabase", "glue:GetDatabase", "glue:GetPartitions", "glue:GetTable", "glue:GetTables",
      "kms:Decrypt", "kms:GenerateDataKey",
      "s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:ListMultipartUploadParts", "s3:PutObject",
    ])
    error_message = "The pipeline's actions for queries differ from this list."
  }

  assert {
    condition = toset(flatten(jsondecode(data.aws_iam_policy_document.analyst.json).Statement[*].Action)) == toset([
      "athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution", "athena:StopQueryExecution",
      "glue:CreateDatabase", "glue:GetDatabase", "glue:GetPartitions", "glue:GetTable", "glue:GetTables",
      "kms:Decrypt", "kms:GenerateDataKey",
      "s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:ListMultipartUploadParts", "s3:PutObject",
      "athena:BatchGetNamedQuery", "athena:BatchGetQueryExecution", "athena:GetDataCatalog", "athena:GetDatabase", "athena:GetNamedQuery",
      "athena:GetQueryResultsStream", "athena:GetWorkGroup", "athena:GetTableMetadata", "athena:ListDataCatalogs", "athena:ListDatabases", "athena:ListNamedQueries",
      "athena:ListQueryExecutions", "athena:ListTableMetadata", "athena:ListWorkGroups", "glue:GetDatabases",
    ])
    error_message = "An analyst's actions differ from this list."
  }

  assert {
    condition = toset(flatten(jsondecode(data.aws_iam_policy_document.pipeline.json).Statement[*].Action)) == toset([
      "glue:BatchStopJobRun", "glue:GetCrawler", "glue:GetJobRun", "glue:StartCrawler", "glue:StartJobRun",
      "kms:Decrypt", "kms:GenerateDataKey",
      "s3:AbortMultipartUpload", "s3:GetBucketVersioning", "s3:GetObject", "s3:GetObjectVersion",
      "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions", "s3:PutObject",
      "secretsmanager:GetSecretValue", "sns:Publish",
    ])
    error_message = "The pipeline's actions differ from this list."
  }

  assert {
    condition = toset(flatten(jsondecode(data.aws_iam_policy_document.crawler.json).Statement[*].Action)) == toset([
      "glue:BatchGetPartition", "glue:CreateTable", "glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTables",
      "glue:UpdateTable",
      "kms:Decrypt",
      "logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
      "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket",
    ])
    error_message = "The crawler's actions differ from this list."
  }

  assert {
    condition = toset(flatten(jsondecode(data.aws_iam_policy_document.spark.json).Statement[*].Action)) == toset([
      "kms:Decrypt", "kms:GenerateDataKey",
      "logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
      "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectVersion",
      "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "s3:PutObject",
    ])
    error_message = "The Spark job's actions differ from this list."
  }
}

run "what_deletes_deletes_only_what_its_role_wrote_to_be_deleted" {
  command = plan

  assert {
    condition = toset(flatten([
      for policy in [
        data.aws_iam_policy_document.pipeline, data.aws_iam_policy_document.ask["pipeline"],
        data.aws_iam_policy_document.crawler, data.aws_iam_policy_document.spark, data.aws_iam_policy_document.analyst,
        ] : [
        for statement in jsondecode(policy.json).Statement : [
          for action in flatten([statement.Action]) : [
            for resource in flatten([statement.Resource]) : "${statement.Sid} ${action} ${resource}"
          ]
          if strcontains(action, "Delete")
        ]
      ]
      ])) == toset([
      "Stage s3:DeleteObject arn:aws:s3:::lake/lake/_spark/staging*",
      "Stage s3:DeleteObject arn:aws:s3:::lake/lake/_spark_$folder$",
    ])
    error_message = "A role can delete other objects than staged parts."
  }
}

run "policies_are_short_enough_for_iam" {
  command = plan

  assert {
    condition     = length(replace(data.aws_iam_policy_document.analyst.json, "/\\s/", "")) <= 6144
    error_message = "The analysts' policy exceeds the size limit of a managed policy."
  }

  assert {
    condition = sum([
      for policy in [data.aws_iam_policy_document.pipeline, data.aws_iam_policy_document.ask["pipeline"]] : length(replace(policy.json, "/\\s/", ""))
    ]) <= 10240
    error_message = "The pipeline's policies together exceed the size limit of a role."
  }
}

run "the_crawler_reads_the_star_and_drops_no_table" {
  command = plan

  assert {
    condition = flatten([
      for statement in jsondecode(data.aws_iam_policy_document.crawler.json).Statement : statement.Resource
      if contains(flatten([statement.Action]), "s3:GetObject")
    ]) == ["arn:aws:s3:::lake/lake/star/*"]
    error_message = "The crawler can read other objects than the star."
  }

  assert {
    condition = !anytrue(flatten([
      for statement in jsondecode(data.aws_iam_policy_document.crawler.json).Statement : [
        for action in flatten([statement.Action]) : can(regex("Delete|PutObject", action))
      ]
    ]))
    error_message = "The crawler can delete, or write to the lake."
  }
}

run "the_spark_job_writes_the_star_and_no_raw_table" {
  command = plan

  assert {
    condition = toset(flatten([
      for statement in jsondecode(data.aws_iam_policy_document.spark.json).Statement : statement.Resource
      if contains(flatten([statement.Action]), "s3:PutObject")
      ])) == toset([
      "arn:aws:s3:::lake/lake/star/*", "arn:aws:s3:::lake/lake/_lock", "arn:aws:s3:::lake/lake/_spark/messages/*",
      "arn:aws:s3:::lake/lake/_spark/staging*", "arn:aws:s3:::lake/lake/_spark_$folder$",
    ])
    error_message = "The Spark job can write outside of the star and its own files."
  }
}

run "only_ec2_and_the_named_user_become_the_pipeline_and_glue_its_roles" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(data.aws_iam_policy_document.pipeline_trust.json).Statement : statement.Principal
    ] == [{ Service = "ec2.amazonaws.com" }, { AWS = "arn:aws:iam::123456789012:user/dagster" }]
    error_message = "The trust policy of the pipeline's role is wrong."
  }

  assert {
    condition = [
      for statement in jsondecode(data.aws_iam_policy_document.glue_trust.json).Statement : statement.Principal
    ] == [{ Service = "glue.amazonaws.com" }]
    error_message = "Other services than Glue can assume the roles of crawler and Spark job."
  }
}

run "buckets_are_spoken_to_over_tls_only" {
  command = plan

  assert {
    condition = alltrue([
      for policy in data.aws_iam_policy_document.tls_only : alltrue([
        for statement in jsondecode(policy.json).Statement :
        statement.Effect == "Deny" && statement.Principal == { AWS = "*" } && statement.Action == "s3:*"
        && statement.Condition == { Bool = { "aws:SecureTransport" = "false" } }
      ])
    ])
    error_message = "A bucket accepts requests without TLS."
  }
}

run "the_machine_is_reached_by_session_manager_and_reads_its_release" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.machine.json).Statement : statement.Sid => [statement.Action, statement.Resource]
      } == {
      BeReachedBySessionManager = [[
        "ssmmessages:OpenDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:CreateDataChannel",
        "ssmmessages:CreateControlChannel", "ssm:UpdateInstanceInformation",
      ], "*"]
      ReadItsRelease = ["s3:GetObject", "arn:aws:s3:::lake/lake/_machine/*"]
    }
    error_message = "The machine's permissions differ from this list."
  }
}
