# The database that the pipeline reads, from existing_source or new_database.
locals {
  source = (
    var.existing_source != null ? {
      host     = var.existing_source.host
      port     = var.existing_source.port
      database = var.existing_source.database
      secret   = var.existing_source.secret_arn
    } :
    var.new_database != null ? {
      host     = aws_db_instance.source[0].address
      port     = aws_db_instance.source[0].port
      database = var.new_database.database
      secret   = aws_secretsmanager_secret.reader[0].arn
    } : null
  )

  # The VPC of database and pipeline, or null if the database isn't in a known VPC.
  vpc_id = var.new_database != null ? var.new_database.vpc_id : try(var.existing_source.vpc_id, null)
  # A set of one element or none, which is known during the plan.
  network = toset(local.vpc_id == null ? [] : ["source"])
  database_group = (
    var.new_database != null ? one(aws_security_group.database[*].id) : try(var.existing_source.security_group_id, null)
  )
}

# For the machine that runs Dagster: members of this group can reach the database.
resource "aws_security_group" "pipeline" {
  # checkov:skip=CKV2_AWS_5:It is attached to the machine that runs Dagster, which may be created elsewhere.
  for_each    = local.network
  name        = "${var.name}-pipeline"
  description = "The machine that runs Dagster for ${var.name}"
  vpc_id      = local.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "pipeline_to_database" {
  for_each                     = local.network
  security_group_id            = aws_security_group.pipeline[each.key].id
  description                  = "The source"
  referenced_security_group_id = local.database_group
  ip_protocol                  = "tcp"
  from_port                    = local.source.port
  to_port                      = local.source.port
}

resource "aws_vpc_security_group_egress_rule" "pipeline_to_aws" {
  for_each          = local.network
  security_group_id = aws_security_group.pipeline[each.key].id
  description       = "AWS and package indexes, over TLS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "database_from_pipeline" {
  for_each                     = local.network
  security_group_id            = local.database_group
  description                  = "The pipeline of ${var.name}"
  referenced_security_group_id = aws_security_group.pipeline[each.key].id
  ip_protocol                  = "tcp"
  from_port                    = local.source.port
  to_port                      = local.source.port
}
