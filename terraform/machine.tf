# The machine that runs Dagster, if there is to be one: an EC2 instance that nobody reaches except by Session Manager.
# At its first boot it installs the release that is uploaded here; docs/deploy.md has how a newer one gets onto it.
locals {
  make_machine   = var.machine.enabled ? 1 : 0
  debian         = "13"
  aws_processors = { amd64 = "x86_64", arm64 = "arm64" } # as AWS calls them

  # The database's VPC, else the account's default one.
  machine_vpc = var.machine.enabled ? (
    var.machine.subnet_id != null ? data.aws_subnet.machine[0].vpc_id : coalesce(local.vpc_id, one(data.aws_vpcs.default[0].ids), "none")
  ) : null
  machine_subnets = var.machine.enabled ? (
    var.machine.subnet_id != null ? [var.machine.subnet_id] : sort(data.aws_subnets.machine[0].ids)
  ) : []
  machine_subnet = one(slice(local.machine_subnets, 0, min(1, length(local.machine_subnets))))

  # How the subnet gets out. Through an internet gateway an instance needs a public address.
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

# Where nobody named a subnet: a default one, in a zone that has such instances.
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

# The subnet's own routes, or those of its VPC.
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

# What the machine installs, whole under the hash of its content: an update names the release that it installs.
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

# No rule lets anybody in: Session Manager's agent calls out.
resource "aws_security_group" "machine" {
  count       = local.make_machine
  name        = "${var.name}-machine"
  description = "The machine of ${var.name}: nobody comes in"
  vpc_id      = local.machine_vpc
}

resource "aws_vpc_security_group_egress_rule" "machine" {
  # checkov:skip=CKV_AWS_260:It lets out, not in.
  for_each = var.machine.enabled ? merge(
    { "AWS and package indexes, over TLS" = 443, "Packages of Debian, which are signed" = 80 },
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
  # checkov:skip=CKV_AWS_111:AWS takes no resource for these actions of Session Manager.
  # checkov:skip=CKV_AWS_356:The same.

  # The least that AWS documents for Session Manager alone. AmazonSSMManagedInstanceCore would also let it read every
  # parameter of the account.
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
  # checkov:skip=CKV_AWS_88:Where the subnet's way out is an internet gateway it needs an address; no rule lets anybody in.
  # checkov:skip=CKV_AWS_126:It is watched by its alerts; metrics a minute apart cost extra.
  # checkov:skip=CKV_AWS_135:The types of today are EBS-optimized by themselves.
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
    # The history of the runs is on its disk: a newer image, release or choice of subnet is no reason for a new machine.
    ignore_changes = [ami, user_data, subnet_id, associate_public_ip_address]

    precondition {
      condition     = var.pipeline_on_ec2
      error_message = "The machine can't take the pipeline's role: set pipeline_on_ec2 = true."
    }
    precondition {
      condition     = local.wheel != null
      error_message = "The wheel that the machine installs isn't built: run `make wheel` first."
    }
    precondition {
      condition     = local.machine_vpc != "none"
      error_message = "There is no default VPC in ${var.region}: name a subnet by machine.subnet_id."
    }
    precondition {
      condition     = length(local.machine_subnets) > 0
      error_message = "VPC ${local.machine_vpc} has no default subnet in a zone that offers ${var.machine.instance_type}: name a subnet by machine.subnet_id, or another machine.instance_type."
    }
    precondition {
      condition     = length(local.machine_gateways) > 0
      error_message = "Subnet ${coalesce(local.machine_subnet, "none")} has no way out: its route table has no route for 0.0.0.0/0. The machine needs an internet gateway or a NAT gateway for Session Manager and its packages."
    }
    precondition {
      condition     = local.vpc_id == null || local.vpc_id == local.machine_vpc
      error_message = "The machine couldn't reach the database: that is in ${coalesce(local.vpc_id, "none")}, the machine's subnet in ${local.machine_vpc}. Name a subnet of the database's VPC by machine.subnet_id."
    }
    precondition {
      condition     = local.machine_image != null
      error_message = "AWS lists no image of Debian ${local.debian} for ${var.machine.architecture} in ${var.region} (${local.debian_images})."
    }
    precondition {
      condition     = length(data.aws_ec2_instance_type.machine) > 0
      error_message = "${var.region} has no instances of type ${var.machine.instance_type}: set machine.instance_type."
    }
    precondition {
      condition     = contains(try(data.aws_ec2_instance_type.machine[0].supported_architectures, []), local.aws_processors[var.machine.architecture])
      error_message = "${var.machine.instance_type} doesn't run images for ${var.machine.architecture}: set machine.architecture or machine.instance_type."
    }
  }
}

output "machine" {
  description = "The machine, and the commands that open its UI, install the release of the last apply, and show its log."
  value = one([for machine in aws_instance.machine : {
    id     = machine.id
    ui     = "aws ssm start-session --region ${var.region} --target ${machine.id} --document-name AWS-StartPortForwardingSession --parameters portNumber=3000,localPortNumber=3000"
    update = "aws ssm start-session --region ${var.region} --target ${machine.id} --document-name AWS-StartInteractiveCommand --parameters 'command=[\"sudo starschema-update ${local.release_uri}\"]'"
    log    = "aws ssm start-session --region ${var.region} --target ${machine.id} --document-name AWS-StartInteractiveCommand --parameters 'command=[\"sudo journalctl --no-pager --output=cat --unit=starschema-first-boot\"]'"
  }])
}
