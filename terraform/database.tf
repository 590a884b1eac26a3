# The database for new_database. Its subnets have no route to the internet, and it accepts only TLS.
locals {
  make_database = var.new_database == null ? 0 : 1
  # RDS derives these names from the names of instance and log.
  database_log_groups = {
    for log in var.new_database == null ? [] : ["error", "slowquery"] : "database_${log}" => "/aws/rds/instance/${var.name}-source/${log}"
  }
}

resource "aws_subnet" "database" {
  for_each          = var.new_database == null ? {} : var.new_database.subnets
  vpc_id            = var.new_database.vpc_id
  availability_zone = each.key
  cidr_block        = each.value

  tags = { Name = "${var.name}-database-${each.key}" }
}

# Only the VPC's local routes. The VPC's main route table may have a route to the internet.
resource "aws_route_table" "database" {
  count  = local.make_database
  vpc_id = var.new_database.vpc_id

  tags = { Name = "${var.name}-database" }
}

resource "aws_route_table_association" "database" {
  for_each       = aws_subnet.database
  subnet_id      = each.value.id
  route_table_id = aws_route_table.database[0].id
}

resource "aws_db_subnet_group" "database" {
  count       = local.make_database
  name        = "${var.name}-database"
  description = "Private subnets of ${var.name}"
  subnet_ids  = [for subnet in aws_subnet.database : subnet.id]
}

resource "aws_security_group" "database" {
  count       = local.make_database
  name        = "${var.name}-database"
  description = "The database of ${var.name}: inbound from the pipeline, no outbound"
  vpc_id      = var.new_database.vpc_id
}

resource "aws_db_parameter_group" "database" {
  count       = local.make_database
  name        = "${var.name}-mysql${replace(var.new_database.engine_version, ".", "-")}"
  description = "TLS only, slow query log, LOAD DATA LOCAL"
  family      = "mysql${var.new_database.engine_version}"

  parameter {
    name  = "require_secure_transport"
    value = "1"
  }

  parameter {
    name  = "slow_query_log"
    value = "1"
  }

  parameter {
    name  = "log_output"
    value = "FILE" # logs in tables aren't exported to CloudWatch
  }

  parameter {
    name  = "local_infile"
    value = "1" # allow clients to load files, such as the sample's
  }

  lifecycle {
    create_before_destroy = true # a new major version needs a new family
  }
}

resource "aws_db_instance" "source" {
  # checkov:skip=CKV_AWS_118:Enhanced monitoring is for a busy database; this one is read once a day.
  # checkov:skip=CKV_AWS_157:A standby doubles the cost: new_database.multi_az switches it on.
  # checkov:skip=CKV_AWS_161:The pipeline signs in with a secret; a second login method would be one more to protect.
  # checkov:skip=CKV_AWS_293:The variable deletion_protection controls it; it is on by default.
  # checkov:skip=CKV_AWS_353:The smallest instance classes have no Performance Insights.
  count          = local.make_database
  identifier     = "${var.name}-source"
  engine         = "mysql"
  engine_version = var.new_database.engine_version
  # When standard support of a version ends, RDS upgrades it. Extended support would cost a price per vCPU and hour.
  engine_lifecycle_support = "open-source-rds-extended-support-disabled"

  instance_class = var.new_database.instance_class
  db_name        = var.new_database.database

  # RDS generates the owner's password, keeps it in Secrets Manager and rotates it, so no state file contains it. The
  # pipeline has a separate user that may only SELECT.
  username                      = "owner"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = aws_kms_key.data.arn

  storage_type          = "gp3"
  allocated_storage     = var.new_database.storage_gb
  max_allocated_storage = var.new_database.max_storage_gb
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.data.arn

  db_subnet_group_name   = aws_db_subnet_group.database[0].name
  vpc_security_group_ids = [aws_security_group.database[0].id]
  publicly_accessible    = false
  multi_az               = var.new_database.multi_az
  parameter_group_name   = aws_db_parameter_group.database[0].name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  backup_retention_period         = var.new_database.backup_days
  copy_tags_to_snapshot           = true
  auto_minor_version_upgrade      = true
  enabled_cloudwatch_logs_exports = ["error", "slowquery"]

  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.deletion_protection
  final_snapshot_identifier = "${var.name}-source-final"

  depends_on = [aws_cloudwatch_log_group.all]
}

# Secret of the pipeline's user. Terraform creates it empty and never sees its value; `make reader` writes it.
resource "aws_secretsmanager_secret" "reader" {
  # checkov:skip=CKV2_AWS_57:`make reader` rotates it; automatic rotation would need a function that reaches the database.
  count                   = local.make_database
  name                    = "${var.name}/source-reader"
  description             = "username and password of the pipeline's user in ${var.name}-source"
  kms_key_id              = aws_kms_key.data.arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}
