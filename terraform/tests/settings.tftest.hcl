# Tests for buckets, crawler, workgroups and outputs, without and with the optional parts. AWS isn't contacted.

mock_provider "aws" {
  override_during = plan
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/data" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:starschema-alerts" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/role" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:starschema/source-reader-a1B2c3" }
  }
  mock_resource "aws_db_instance" {
    defaults = { address = "starschema-source.example.com", port = 3306 }
  }
}

variables {
  account_id = "123456789012"
  region     = "eu-central-1"
}

run "buckets_are_versioned_encrypted_and_private" {
  command = plan
  assert {
    condition     = aws_s3_bucket_versioning.lake.versioning_configuration[0].status == "Enabled"
    error_message = "The lake's bucket has no versioning, which make restore needs."
  }
  assert {
    condition = toset(keys(aws_s3_bucket_server_side_encryption_configuration.all)) == toset(["lake", "results"]) && alltrue([
      for encryption in aws_s3_bucket_server_side_encryption_configuration.all : alltrue([
        for rule in encryption.rule : rule.apply_server_side_encryption_by_default[0].kms_master_key_id == aws_kms_key.data.arn
      ])
    ])
    error_message = "A bucket isn't encrypted with the key."
  }
  assert {
    condition = length(aws_s3_bucket_public_access_block.all) == 2 && alltrue([
      for block in aws_s3_bucket_public_access_block.all :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ])
    error_message = "A bucket could become public."
  }
  assert {
    condition     = !aws_s3_bucket.lake.force_destroy && !aws_s3_bucket.results.force_destroy
    error_message = "terraform destroy would delete objects in the buckets."
  }
  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.noncurrent_version_expiration[0].newer_noncurrent_versions
      if rule.id == "forget-replaced-tables"
    ] == [5]
    error_message = "Earlier versions of tables aren't kept long enough for make restore."
  }
}

run "the_crawler_has_one_target_a_table_and_no_schedule" {
  command = plan
  assert {
    condition = toset([for target in aws_glue_crawler.star.s3_target : target.path]) == toset([
      for table in [
        "dim_customers", "dim_customers_history", "dim_dates", "dim_locations", "dim_products", "dim_products_history",
        "fact_orders"
      ] :
      "s3://starschema-lake-123456789012-eu-central-1/lake/star/${table}/"
    ])
    error_message = "The crawler's targets aren't the star's tables."
  }
  assert {
    condition = alltrue([
      aws_glue_crawler.star.schedule == null,
      aws_glue_crawler.star.recrawl_policy[0].recrawl_behavior == "CRAWL_EVERYTHING",
      aws_glue_crawler.star.schema_change_policy[0].update_behavior == "UPDATE_IN_DATABASE",
      jsondecode(aws_glue_crawler.star.configuration).Grouping.TableGroupingPolicy == "CombineCompatibleSchemas",
      jsondecode(aws_glue_crawler.star.configuration).CrawlerOutput.Partitions.AddOrUpdateBehavior == "InheritFromTable",
    ])
    error_message = "The crawler would miss a schema change, or treat tables as partitions."
  }
}

run "a_workgroup_enforces_limit_place_and_encryption" {
  command = plan
  assert {
    condition = alltrue([
      for name, group in aws_athena_workgroup.all : alltrue([
        group.configuration[0].enforce_workgroup_configuration,
        group.configuration[0].bytes_scanned_cutoff_per_query == 10 * pow(1024, 3),
        group.configuration[0].result_configuration[0].output_location == "s3://starschema-results-123456789012-eu-central-1/${name}/",
        group.configuration[0].result_configuration[0].encryption_configuration[0].encryption_option == "SSE_KMS",
      ])
    ])
    error_message = "A workgroup allows queries to override its configuration."
  }
  assert {
    condition = alltrue([
      aws_athena_named_query.question["margin.sql"].query == file("../starschema_assets/analytics/questions/margin.sql"),
      length(aws_athena_named_query.question) == length(fileset("../starschema_assets/analytics/questions", "*.sql")),
    ])
    error_message = "The saved queries aren't the project's queries."
  }
}

run "by_default_there_is_no_database_no_network_and_no_subscription" {
  command = plan
  assert {
    condition = alltrue([
      length(aws_db_instance.source) + length(aws_subnet.database) + length(aws_security_group.database) == 0,
      length(aws_security_group.pipeline) + length(aws_secretsmanager_secret.reader) + length(aws_sns_topic_subscription.email) == 0,
    ])
    error_message = "By default there is a resource that costs money or sends messages."
  }
  assert {
    condition     = !strcontains(output.dotenv, "STARSCHEMA_SOURCE")
    error_message = "By default a source is set."
  }
}

run "an_existing_source_becomes_settings_without_its_password" {
  command = plan
  variables {
    existing_source = {
      host       = "db.example.com"
      database   = "classicmodels"
      secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-a1B2c3"
    }
    alert_email = "data@example.com"
  }
  assert {
    condition = output.dotenv == join("\n", [
      "AWS_DEFAULT_REGION=eu-central-1",
      "STARSCHEMA_ALERT_TOPIC=arn:aws:sns:eu-central-1:123456789012:starschema-alerts",
      "STARSCHEMA_ATHENA_WORKGROUP=starschema-pipeline",
      "STARSCHEMA_GLUE_CRAWLER=starschema-star",
      "STARSCHEMA_GLUE_DATABASE=starschema",
      "STARSCHEMA_LAKE_URI=s3://starschema-lake-123456789012-eu-central-1/lake",
      "STARSCHEMA_SOURCE_SECRET=arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-a1B2c3",
      "STARSCHEMA_SOURCE_URL=mysql+pymysql://db.example.com:3306/classicmodels",
      "",
    ])
    error_message = "The settings differ from this list."
  }
  assert {
    condition     = aws_sns_topic_subscription.email[0].endpoint == "data@example.com" && length(aws_security_group.pipeline) == 0
    error_message = "The alerts have a wrong address, or there is a network resource without a VPC."
  }
}

run "an_existing_database_of_a_vpc_lets_the_pipeline_in" {
  command = plan
  variables {
    existing_source = {
      host              = "db.example.com"
      port              = 3307
      database          = "classicmodels"
      secret_arn        = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-a1B2c3"
      vpc_id            = "vpc-1"
      security_group_id = "sg-database"
    }
  }
  assert {
    condition = alltrue([
      aws_vpc_security_group_ingress_rule.database_from_pipeline["source"].security_group_id == "sg-database",
      aws_vpc_security_group_ingress_rule.database_from_pipeline["source"].from_port == 3307,
      aws_vpc_security_group_ingress_rule.database_from_pipeline["source"].cidr_ipv4 == null,
    ])
    error_message = "The database's security group must allow only the pipeline."
  }
}

run "a_new_database_is_private_encrypted_and_takes_tls_only" {
  command = plan
  variables {
    new_database = { vpc_id = "vpc-1", subnets = { eu-central-1a = "10.0.200.0/26", eu-central-1b = "10.0.200.64/26" } }
  }
  assert {
    condition = alltrue([
      !aws_db_instance.source[0].publicly_accessible,
      aws_db_instance.source[0].storage_encrypted,
      aws_db_instance.source[0].manage_master_user_password,
      aws_db_instance.source[0].password == null,
      aws_db_instance.source[0].backup_retention_period == 7,
      aws_db_instance.source[0].deletion_protection,
    ])
    error_message = "The database is open, unencrypted, unprotected, or its password is in the state."
  }
  assert {
    condition = toset([for parameter in aws_db_parameter_group.database[0].parameter : "${parameter.name}=${parameter.value}"]) == toset([
      "require_secure_transport=1", "slow_query_log=1", "log_output=FILE", "local_infile=1",
    ])
    error_message = "The database accepts connections without TLS, or doesn't log slow queries to a file for CloudWatch."
  }
  assert {
    condition = toset([for group in aws_cloudwatch_log_group.all : group.name if strcontains(group.name, "/rds/") && group.retention_in_days == 90]) == toset([
      for log in aws_db_instance.source[0].enabled_cloudwatch_logs_exports : "/aws/rds/instance/starschema-source/${log}"
    ])
    error_message = "A log of the database is kept forever."
  }
  assert {
    condition     = aws_db_instance.source[0].engine_version == "8.4" && aws_db_instance.source[0].engine_lifecycle_support == "open-source-rds-extended-support-disabled"
    error_message = "The database would use paid Extended Support."
  }
  assert {
    condition     = toset([for subnet in aws_subnet.database : subnet.availability_zone]) == toset(["eu-central-1a", "eu-central-1b"]) && length(aws_route_table_association.database) == 2
    error_message = "The subnets are in one zone, or use the VPC's main routes."
  }
  assert {
    condition     = strcontains(output.dotenv, "STARSCHEMA_SOURCE_URL=mysql+pymysql://starschema-source.example.com:3306/classicmodels\n")
    error_message = "The settings don't refer to the new database."
  }
}

run "protection_goes_only_when_it_is_switched_off" {
  command = plan
  variables {
    deletion_protection = false
    new_database        = { vpc_id = "vpc-1", subnets = { eu-central-1a = "10.0.200.0/26", eu-central-1b = "10.0.200.64/26" } }
  }
  assert {
    condition     = aws_s3_bucket.lake.force_destroy && aws_db_instance.source[0].skip_final_snapshot && !aws_db_instance.source[0].deletion_protection
    error_message = "terraform destroy would fail."
  }
}

run "without_spark_there_is_no_job" {
  command = plan
  assert {
    condition     = length(aws_glue_job.star) == 0 && length(aws_s3_object.spark) == 0
    error_message = "By default there is a Spark job."
  }
  assert {
    condition     = !strcontains(output.dotenv, "STARSCHEMA_ENGINE")
    error_message = "The pipeline would use a Spark job that doesn't exist."
  }
}
