# The machine that runs Dagster, if machine.enabled: an EC2 instance that can be reached only through Session Manager.
# At its first boot it installs the release that is uploaded here. docs/deploy.md describes how to update it.
locals {
  make_machine   = var.machine.enabled ? 1 : 0
  debian         = "13"
  aws_processors = { amd64 = "x86_64", arm64 = "arm64" } # AWS's names

  # The database's VPC, or the account's default VPC.
  machine_vpc = var.machine.enabled ? (
    var.machine.subnet_id != null ? data.aws_subnet.machine[0].vpc_id : coalesce(local.vpc_id, one(data.aws_vpcs.default[0].ids), "none")
  ) : null
  machine_subnets = var.machine.enabled ? (
    var.machine.subnet_id != null ? [var.machine.subnet_id] : sort(data.aws_subnets.machine[0].ids)
  ) : []
  machine_subnet = one(slice(local.machine_subnets, 0, min(1, length(local.machine_subnets))))

  # The subnet's routes to the internet. With an internet gateway, an instance needs a public address.
  machine_routes = [
    for route in try(data.aws_route_table.machine[0].routes, []) : route if route.cidr_block == "0.0.0.0/0"
  ]
  machine_gateways = compact(flatten([
    for route in local.machine_routes : [
      route.gateway_id, route.nat_gateway_id, route.transit_gateway_id, route.network_interface_id, route.instance_id,
    ]
  ]))
  machine_is_public = anytrue([for gateway in local.machine_gateways : startswith(gateway, "igw-")])

  machine_images = var.machine.enabled ? zipmap(
    data.aws_ssm_parameters_by_path.debian[0].names, nonsensitive(data.aws_ssm_parameters_by_path.debian[0].values)
  ) : {}
  machine_image = lookup(local.machine_images, "${local.debian_images}/${var.machine.architecture}", null)
  debian_images = "/aws/service/debian/release/${local.debian}/latest"
}

data "aws_vpcs" "default" {
  count = local.make_machine

  filter {
    name   = "is-default"
    values = ["true"]
  }
}

data "aws_subnet" "machine" {
  count = var.machine.enabled && var.machine.subnet_id != null ? 1 : 0
  id    = var.machine.subnet_id
}

# If machine.subnet_id isn't set: the default subnets in zones that offer the instance type.
data "aws_subnets" "machine" {
  count = var.machine.enabled && var.machine.subnet_id == null ? 1 : 0

  filter {
    name   = "vpc-id"
    values = [local.machine_vpc]
  }
  filter {
    name   = "default-for-az"
    values = ["true"]
  }
  filter {
    name   = "availability-zone"
    values = concat(data.aws_ec2_instance_type_offerings.machine[0].locations, ["none"])
  }
}

data "aws_ec2_instance_type_offerings" "machine" {
  count         = local.make_machine
  location_type = "availability-zone"

  filter {
    name   = "instance-type"
    values = [var.machine.instance_type]
  }
}

data "aws_ec2_instance_type" "machine" {
  count         = length(try(data.aws_ec2_instance_type_offerings.machine[0].locations, [])) > 0 ? 1 : 0
  instance_type = var.machine.instance_type
}

# The subnet's route table, or the main one of its VPC.
data "aws_route_tables" "machine" {
  for_each = local.machine_subnet == null ? {} : {
    own  = { name = "association.subnet-id", value = local.machine_subnet }
    main = { name = "association.main", value = "true" }
  }
  vpc_id = local.machine_vpc

  filter {
    name   = each.value.name
    values = [each.value.value]
  }
}

data "aws_route_table" "machine" {
  count = local.machine_subnet == null ? 0 : 1
  route_table_id = one(concat(
    data.aws_route_tables.machine["own"].ids,
    length(data.aws_route_tables.machine["own"].ids) > 0 ? [] : data.aws_route_tables.machine["main"].ids,
  ))
}

data "aws_ssm_parameters_by_path" "debian" {
  count = local.make_machine
  path  = local.debian_images
}

# The files of a release. They are uploaded under the hash of their content, so an update refers to one release.
locals {
  release_files = var.machine.enabled && local.wheel != null ? merge(
    { for file in fileset(local.deploy, "*") : "deploy/${file}" => "${local.deploy}/${file}" },
    { "dist/${local.wheel}" = "${local.dist}/${local.wheel}", "requirements.lock" = "${path.module}/../requirements.lock" },
  ) : {}
  deploy = "${path.module}/../deploy"
  dotenv = join("", [for name, value in local.settings : "${name}=${value}\n"])
  release = "${var.lake_prefix}/_machine/${substr(sha256(join("\n", concat(
    [local.dotenv], [for name, file in local.release_files : "${name} ${filesha256(file)}"],
  ))), 0, 16)}"
  release_uri = "s3://${aws_s3_bucket.lake.bucket}/${local.release}"
}

resource "aws_s3_object" "release" {
  for_each   = local.release_files
  bucket     = aws_s3_bucket.lake.bucket
  key        = "${local.release}/${each.key}"
  source     = each.value
  kms_key_id = aws_kms_key.data.arn

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_object" "release_settings" {
  count      = local.make_machine
  bucket     = aws_s3_bucket.lake.bucket
  key        = "${local.release}/settings.env"
  content    = local.dotenv
  kms_key_id = aws_kms_key.data.arn

  lifecycle {
    create_before_destroy = true
  }
}

# No inbound rules: Session Manager's agent opens an outbound connection.
resource "aws_security_group" "machine" {
  count       = local.make_machine
  name        = "${var.name}-machine"
  description = "The machine of ${var.name}: no inbound connections"
  vpc_id      = local.machine_vpc
}

resource "aws_vpc_security_group_egress_rule" "machine" {
  # checkov:skip=CKV_AWS_260:This is an outbound rule.
  for_each = var.machine.enabled ? merge(
    { "AWS and package indexes, over TLS" = 443, "Signed packages of Debian" = 80 },
    local.source != null && local.vpc_id == null ? { "The source" = local.source.port } : {},
  ) : {}
  security_group_id = aws_security_group.machine[0].id
  description       = each.key
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_iam_role_policy" "machine" {
  count  = local.make_machine
  name   = "be-the-machine"
  role   = aws_iam_role.pipeline.id
  policy = data.aws_iam_policy_document.machine.json
}

data "aws_iam_policy_document" "machine" {
  # checkov:skip=CKV_AWS_111:AWS can't restrict these actions of Session Manager to a resource.
  # checkov:skip=CKV_AWS_356:The same.

  # The minimal permissions that AWS documents for Session Manager. AmazonSSMManagedInstanceCore would also allow the
  # machine to read every parameter of the account.
  statement {
    sid = "BeReachedBySessionManager"
    actions = [
      "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }

  statement {
    sid       = "ReadItsRelease"
    actions   = ["s3:GetObject"]
    resources = ["${local.lake_arn}/${var.lake_prefix}/_machine/*"]
  }
}

resource "aws_instance" "machine" {
  # checkov:skip=CKV_AWS_88:With an internet gateway it needs a public address; there are no inbound rules.
  # checkov:skip=CKV_AWS_126:Alerts report failures; metrics per minute cost extra.
  # checkov:skip=CKV_AWS_135:Current instance types are EBS-optimized by default.
  count                       = local.make_machine
  ami                         = local.machine_image
  instance_type               = var.machine.instance_type
  subnet_id                   = local.machine_subnet
  associate_public_ip_address = local.machine_is_public
  vpc_security_group_ids      = concat(aws_security_group.machine[*].id, values(aws_security_group.pipeline)[*].id)
  iam_instance_profile        = one(aws_iam_instance_profile.pipeline[*].name)
  disable_api_termination     = var.deletion_protection

  user_data = replace(replace(replace(file("${local.deploy}/first-boot.sh"),
    "@release@", local.release_uri), "@region@", var.region), "@suffix@", data.aws_partition.here.dns_suffix
  )

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = var.machine.disk_gb
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  tags = { Name = var.name }

  depends_on = [
    aws_s3_object.release, aws_s3_object.release_settings, aws_iam_role_policy.machine, aws_iam_role_policy.pipeline,
  ]

  lifecycle {
    # The history of runs is on the machine's disk, so a new image, release or subnet must not replace the machine.
    ignore_changes = [ami, user_data, subnet_id, associate_public_ip_address]

    precondition {
      condition     = var.pipeline_on_ec2
      error_message = "The machine can't assume the pipeline's role: set pipeline_on_ec2 = true."
    }
    precondition {
      condition     = local.wheel != null
      error_message = "The machine's wheel isn't built: run `make wheel` first."
    }
    precondition {
      condition     = local.machine_vpc != "none"
      error_message = "There is no default VPC in ${var.region}: set machine.subnet_id."
    }
    precondition {
      condition     = length(local.machine_subnets) > 0
      error_message = "VPC ${local.machine_vpc} has no default subnet in a zone that offers ${var.machine.instance_type}: set machine.subnet_id, or another machine.instance_type."
    }
    precondition {
      condition     = length(local.machine_gateways) > 0
      error_message = "Subnet ${coalesce(local.machine_subnet, "none")} has no route to the internet: its route table has no route for 0.0.0.0/0. The machine needs an internet gateway or a NAT gateway for Session Manager and its packages."
    }
    precondition {
      condition     = local.vpc_id == null || local.vpc_id == local.machine_vpc
      error_message = "The machine couldn't reach the database: the database is in VPC ${coalesce(local.vpc_id, "none")}, and the machine's subnet is in ${local.machine_vpc}. Set machine.subnet_id to a subnet of the database's VPC."
    }
    precondition {
      condition     = local.machine_image != null
      error_message = "AWS lists no image of Debian ${local.debian} for ${var.machine.architecture} in ${var.region} (${local.debian_images})."
    }
    precondition {
      condition     = length(data.aws_ec2_instance_type.machine) > 0
      error_message = "${var.region} doesn't offer the instance type ${var.machine.instance_type}: set machine.instance_type."
    }
    precondition {
      condition     = contains(try(data.aws_ec2_instance_type.machine[0].supported_architectures, []), local.aws_processors[var.machine.architecture])
      error_message = "${var.machine.instance_type} doesn't support the architecture ${var.machine.architecture}: set machine.architecture or machine.instance_type."
    }
  }
}

output "machine" {
  description = "ID of the machine, and the commands that open its UI, install the release of the last apply, and show its log; null unless machine.enabled."
  value = one([for machine in aws_instance.machine : {
    id     = machine.id
    ui     = "aws ssm start-session --region ${var.region} --target ${machine.id} --document-name AWS-StartPortForwardingSession --parameters portNumber=3000,localPortNumber=3000"
    update = "aws ssm start-session --region ${var.region} --target ${machine.id} --document-name AWS-StartInteractiveCommand --parameters 'command=[\"sudo starschema-update ${local.release_uri}\"]'"
    log    = "aws ssm start-session --region ${var.region} --target ${machine.id} --document-name AWS-StartInteractiveCommand --parameters 'command=[\"sudo journalctl --no-pager --output=cat --unit=starschema-first-boot\"]'"
  }])
}
