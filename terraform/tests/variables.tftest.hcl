# Tests for the validation of variables: values that would fail in an apply, or do damage, are rejected.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  account_id = "123456789012"
  region     = "eu-central-1"
}

run "places_that_do_not_exist" {
  command = plan
  variables {
    account_id  = "1234"
    region      = "frankfurt"
    name        = "Star_Schema"
    lake_prefix = "lake/"
  }
  expect_failures = [var.account_id, var.region, var.name, var.lake_prefix]
}

run "times_and_amounts_that_aws_does_not_take" {
  command = plan
  variables {
    version_days     = 0
    log_days         = 100
    result_days      = 0.5
    scanned_gb_limit = 0
    spark            = { worker_type = "G.3X" }
  }
  expect_failures = [var.version_days, var.log_days, var.result_days, var.scanned_gb_limit, var.spark]
}

run "slips_that_would_be_dear_or_open" {
  command = plan
  variables {
    spark               = { workers = 1000 }
    pipeline_principals = ["arn:aws:iam::123456789012:root"]
    alert_email         = "data-team"
  }
  expect_failures = [var.spark, var.pipeline_principals, var.alert_email]
}

run "any_user_as_the_pipeline_and_a_run_without_end" {
  command = plan
  variables {
    pipeline_principals = ["arn:aws:iam::123456789012:user/*"]
    spark               = { timeout_minutes = 100000 }
  }
  expect_failures = [var.pipeline_principals, var.spark]
}

run "a_password_instead_of_a_secret" {
  command = plan
  variables {
    existing_source = {
      host       = "db.example.com"
      database   = "sales"
      secret_arn = "s3cr3t"
    }
  }
  expect_failures = [var.existing_source]
}

run "a_host_with_its_port" {
  command = plan
  variables {
    existing_source = {
      host       = "db.example.com:3306"
      database   = "sales"
      secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-a1B2c3"
    }
  }
  expect_failures = [var.existing_source]
}

run "a_vpc_without_the_group_that_is_to_let_the_pipeline_in" {
  command = plan
  variables {
    existing_source = {
      host       = "db.example.com"
      database   = "sales"
      secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-a1B2c3"
      vpc_id     = "vpc-1"
    }
  }
  expect_failures = [var.existing_source]
}

run "two_sources_at_once" {
  command = plan
  variables {
    existing_source = {
      host       = "db.example.com"
      database   = "sales"
      secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-a1B2c3"
    }
    new_database = { vpc_id = "vpc-1", subnets = { eu-central-1a = "10.0.200.0/26", eu-central-1b = "10.0.200.64/26" } }
  }
  expect_failures = [var.new_database]
}

run "a_database_in_one_zone" {
  command = plan
  variables {
    new_database = { vpc_id = "vpc-1", subnets = { eu-central-1a = "10.0.200.0/26" } }
  }
  expect_failures = [var.new_database]
}

run "a_database_without_backups" {
  command = plan
  variables {
    new_database = { vpc_id = "vpc-1", subnets = { eu-central-1a = "10.0.200.0/26", eu-central-1b = "10.0.200.64/26" }, backup_days = 0 }
  }
  expect_failures = [var.new_database]
}

run "a_database_without_standard_support" {
  command = plan
  variables {
    new_database = { vpc_id = "vpc-1", subnets = { eu-central-1a = "10.0.200.0/26", eu-central-1b = "10.0.200.64/26" }, engine_version = "8.0" }
  }
  expect_failures = [var.new_database]
}

run "nobody_as_the_pipeline" {
  command = plan
  variables {
    pipeline_on_ec2 = false
  }
  expect_failures = [aws_iam_role.pipeline]
}
