# Tests for the machine: network access, permissions, and errors in the plan. AWS isn't contacted.

mock_provider "aws" {
  override_during = plan
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_vpcs" {
    defaults = { ids = ["vpc-default"] }
  }
  mock_data "aws_subnets" {
    defaults = { ids = ["subnet-b", "subnet-a"] }
  }
  mock_data "aws_subnet" {
    defaults = { vpc_id = "vpc-own" }
  }
  mock_data "aws_ec2_instance_type_offerings" {
    defaults = { locations = ["eu-central-1a", "eu-central-1b"] }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { supported_architectures = ["arm64"] }
  }
  mock_data "aws_route_tables" {
    defaults = { ids = ["rtb-1"] }
  }
  mock_data "aws_route_table" {
    defaults = { routes = [{ cidr_block = "0.0.0.0/0", gateway_id = "igw-1" }] }
  }
  mock_data "aws_ssm_parameters_by_path" {
    defaults = {
      names  = ["/aws/service/debian/release/13/latest/amd64", "/aws/service/debian/release/13/latest/arm64"]
      values = ["ami-amd64", "ami-arm64"]
    }
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
  mock_resource "aws_security_group" {
    defaults = { id = "sg-mock" }
  }
  mock_resource "aws_db_instance" {
    defaults = { address = "starschema-source.example.com", port = 3306 }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:starschema/source-reader-a1B2c3" }
  }
  mock_resource "aws_instance" {
    defaults = { id = "i-1" }
  }
}

variables {
  account_id = "123456789012"
  region     = "eu-central-1"
  machine    = { enabled = true }
}

run "by_default_there_is_no_machine" {
  command = plan
  variables {
    machine = {}
  }
  assert {
    condition = alltrue([
      length(aws_instance.machine) + length(aws_security_group.machine) + length(aws_s3_object.release) == 0,
      length(aws_iam_role_policy.machine) == 0,
      output.machine == null,
    ])
    error_message = "By default there is a machine, or a resource of one."
  }
}

run "the_machine_is_current_encrypted_and_reached_by_nobody" {
  command = plan
  assert {
    condition = alltrue([
      aws_instance.machine[0].ami == "ami-arm64",
      aws_instance.machine[0].instance_type == "t4g.small",
      aws_instance.machine[0].subnet_id == "subnet-a",
      aws_instance.machine[0].associate_public_ip_address,
      aws_instance.machine[0].disable_api_termination,
      aws_instance.machine[0].root_block_device[0].encrypted,
      aws_instance.machine[0].root_block_device[0].volume_size == 20,
      aws_instance.machine[0].metadata_options[0].http_tokens == "required",
    ])
    error_message = "The machine has the wrong image or type, or its disk or metadata aren't protected."
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.database_from_pipeline) == 0
    error_message = "A rule allows inbound connections."
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_egress_rule.machine : rule.from_port]) == toset([80, 443])
    error_message = "The machine can connect to other ports than those of packages and AWS."
  }
}

run "its_release_is_whole_and_its_first_boot_names_it" {
  command = plan
  assert {
    condition = alltrue([
      for file in ["deploy/install.sh", "deploy/starschema-code.service", "deploy/workspace.yaml", "requirements.lock", "dist/${one(fileset("../dist", "*.whl"))}"] :
      endswith(aws_s3_object.release[file].key, "/${file}")
    ])
    error_message = "A file of the release isn't uploaded."
  }
  assert {
    condition     = length(toset([for object in aws_s3_object.release : split("/", object.key)[2]])) == 1 && can(regex("^lake/_machine/[0-9a-f]{16}/settings.env$", aws_s3_object.release_settings[0].key))
    error_message = "The files of the release aren't under one hash."
  }
  assert {
    condition = alltrue([
      strcontains(aws_instance.machine[0].user_data, "release=s3://starschema-lake-123456789012-eu-central-1/${dirname(aws_s3_object.release_settings[0].key)} "),
      strcontains(aws_instance.machine[0].user_data, "https://s3.eu-central-1.amazonaws.com/amazon-ssm-eu-central-1/"),
      length(regexall("@[a-z]+@", aws_instance.machine[0].user_data)) == 0,
      length(aws_instance.machine[0].user_data) < 16384,
    ])
    error_message = "The first-boot script lacks its release or region, or is too long for EC2."
  }
  assert {
    condition     = strcontains(output.machine.update, "sudo starschema-update s3://starschema-lake-123456789012-eu-central-1/${dirname(aws_s3_object.release_settings[0].key)}\"")
    error_message = "The printed update command isn't for this release."
  }
  assert {
    condition     = strcontains(output.machine.ui, "--target i-1 --document-name AWS-StartPortForwardingSession")
    error_message = "The UI's command doesn't forward a port."
  }
}

run "a_private_subnet_gives_no_public_address" {
  command = plan
  variables {
    machine = { enabled = true, subnet_id = "subnet-0123456789abcdef0" }
  }
  override_data {
    target = data.aws_route_table.machine[0]
    values = { routes = [{ cidr_block = "0.0.0.0/0", nat_gateway_id = "nat-1", gateway_id = "" }] }
  }
  assert {
    condition     = !aws_instance.machine[0].associate_public_ip_address && aws_security_group.machine[0].vpc_id == "vpc-own"
    error_message = "The machine has a public address, or its security group is in another VPC."
  }
}

run "beside_the_database_it_has_the_group_that_is_let_in" {
  command = plan
  variables {
    new_database = { vpc_id = "vpc-db", subnets = { eu-central-1a = "10.0.200.0/26", eu-central-1b = "10.0.200.64/26" } }
  }
  assert {
    condition     = length(aws_security_group.pipeline) == 1 && aws_security_group.machine[0].vpc_id == "vpc-db"
    error_message = "The database's security group doesn't allow the machine."
  }
}

run "a_database_elsewhere_is_let_out_to" {
  command = plan
  variables {
    existing_source = {
      host       = "db.example.com"
      port       = 3307
      database   = "sales"
      secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:reader-a1B2c3"
    }
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_egress_rule.machine : rule.from_port]) == toset([80, 443, 3307])
    error_message = "The machine's security group doesn't allow connections to the database."
  }
}

run "values_that_no_machine_has" {
  command = plan
  variables {
    machine = { enabled = true, architecture = "x86_64", subnet_id = "public", disk_gb = 1 }
  }
  expect_failures = [var.machine]
}

run "no_default_vpc" {
  command = plan
  override_data {
    target = data.aws_vpcs.default[0]
    values = { ids = [] }
  }
  override_data {
    target = data.aws_subnets.machine[0]
    values = { ids = [] }
  }
  expect_failures = [aws_instance.machine[0]]
}

run "no_default_subnet_with_such_instances" {
  command = plan
  override_data {
    target = data.aws_subnets.machine[0]
    values = { ids = [] }
  }
  expect_failures = [aws_instance.machine[0]]
}

run "a_subnet_without_a_way_out" {
  command = plan
  override_data {
    target = data.aws_route_table.machine[0]
    values = { routes = [{ cidr_block = "10.0.0.0/8", gateway_id = "vgw-1" }] }
  }
  expect_failures = [aws_instance.machine[0]]
}

run "a_database_in_another_vpc" {
  command = plan
  variables {
    machine      = { enabled = true, subnet_id = "subnet-0123456789abcdef0" }
    new_database = { vpc_id = "vpc-db", subnets = { eu-central-1a = "10.0.200.0/26", eu-central-1b = "10.0.200.64/26" } }
  }
  expect_failures = [aws_instance.machine[0]]
}

run "an_image_that_there_is_not" {
  command = plan
  override_data {
    target = data.aws_ssm_parameters_by_path.debian[0]
    values = { names = ["/aws/service/debian/release/13/latest/amd64"], values = ["ami-amd64"] }
  }
  expect_failures = [aws_instance.machine[0]]
}

run "an_instance_type_of_another_architecture" {
  command = plan
  variables {
    machine = { enabled = true, architecture = "amd64" }
  }
  expect_failures = [aws_instance.machine[0]]
}

run "an_instance_type_that_there_is_not" {
  command = plan
  variables {
    machine = { enabled = true, instance_type = "t4g.tiny" }
  }
  override_data {
    target = data.aws_ec2_instance_type_offerings.machine[0]
    values = { locations = [] }
  }
  expect_failures = [aws_instance.machine[0]]
}

run "a_role_that_no_instance_may_take" {
  command = plan
  variables {
    pipeline_on_ec2     = false
    pipeline_principals = ["arn:aws:iam::123456789012:user/dagster"]
  }
  expect_failures = [aws_instance.machine[0]]
}
