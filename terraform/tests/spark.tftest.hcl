# Tests for the Glue Spark job, with the wheel of `make wheel`.

mock_provider "aws" {
  override_during = plan
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::lake", bucket = "lake" }
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
}

variables {
  account_id = "123456789012"
  region     = "eu-central-1"
  spark      = { enabled = true, worker_type = "G.2X", workers = 10, timeout_minutes = 90 }
}

run "the_job_has_its_size_its_limits_and_the_code_of_this_checkout" {
  command = plan
  assert {
    condition = (
      aws_glue_job.star[0].worker_type == "G.2X" && aws_glue_job.star[0].number_of_workers == 10
      && aws_glue_job.star[0].timeout == 90 && aws_glue_job.star[0].max_retries == 0
      && aws_glue_job.star[0].default_arguments["--enable-auto-scaling"] == "true"
    )
    error_message = "The job's size or limits are wrong."
  }
  assert {
    condition = toset([for object in aws_s3_object.spark : basename(object.key)]) == toset([
      "job.py", basename(one(fileset("../dist", "*.whl")))
    ])
    error_message = "Script or wheel isn't uploaded."
  }
  assert {
    condition = alltrue([
      for object in aws_s3_object.spark : basename(dirname(object.key)) == substr(filesha256(object.source), 0, 16)
    ])
    error_message = "New code would replace code that a run is reading."
  }
  assert {
    condition = (
      strcontains(aws_glue_job.star[0].command[0].script_location, "/job.py")
      && strcontains(aws_glue_job.star[0].default_arguments["--additional-python-modules"], ".whl,")
      && length(regexall(",pyarrow==[0-9.]+,", aws_glue_job.star[0].default_arguments["--additional-python-modules"])) == 1
      && !strcontains(aws_glue_job.star[0].default_arguments["--additional-python-modules"], "#")
    )
    error_message = "The job's arguments lack its script, wheel or pinned modules."
  }
  assert {
    condition = alltrue([
      for line in ["STARSCHEMA_ENGINE=glue\n", "STARSCHEMA_GLUE_JOB=starschema-star\n"] : strcontains(output.dotenv, line)
    ])
    error_message = "The pipeline's settings don't use the job."
  }
}
