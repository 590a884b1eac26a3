variable "account_id" {
  description = "ID of the AWS account. Terraform fails with credentials of any other account."
  type        = string

  validation {
    condition     = can(regex("^\\d{12}$", var.account_id))
    error_message = "account_id must be the twelve digits of an AWS account, in quotes."
  }
}

variable "region" {
  description = "The AWS region, e.g. eu-central-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.region))
    error_message = "region must be the code of an AWS region, such as eu-central-1."
  }
}

variable "name" {
  description = "Prefix of all names, so that two deployments can share an account."
  type        = string
  default     = "starschema"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lower-case letters, digits and hyphens, because it becomes part of a bucket's name."
  }
}

variable "tags" {
  description = "Tags of all resources, in addition to project = name."
  type        = map(string)
  default     = {}
}

variable "lake_prefix" {
  description = "Folder of the lake in its bucket."
  type        = string
  default     = "lake"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$", var.lake_prefix))
    error_message = "lake_prefix must be one or more folders without a slash at either end, such as lake or sales/lake."
  }
}

variable "deletion_protection" {
  description = "true: `terraform destroy` fails at the database and at buckets with objects; false: it deletes the data permanently."
  type        = bool
  default     = true
}

variable "version_days" {
  description = "Days that replaced versions of a table are kept for `make restore`. The newest five are kept longer."
  type        = number
  default     = 30

  validation {
    condition     = var.version_days >= 1 && floor(var.version_days) == var.version_days
    error_message = "version_days must be a whole number of days, at least 1."
  }
}

variable "log_days" {
  description = "Days that logs of crawler, Spark job and database are kept. CloudWatch allows only certain numbers."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_days)
    error_message = "log_days must be one of the numbers that CloudWatch Logs allows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827."
  }
}

variable "existing_source" {
  description = <<-EOT
    An existing MySQL database, on RDS or elsewhere.
    secret_arn: secret in Secrets Manager with username and password of a user that may SELECT.
    secret_kms_key_arn: the secret's key, if it isn't the account's aws/secretsmanager.
    vpc_id and security_group_id: of a database on RDS; Terraform adds a rule for the pipeline to this security group.
  EOT
  type = object({
    host               = string
    port               = optional(number, 3306)
    database           = string
    secret_arn         = string
    secret_kms_key_arn = optional(string)
    vpc_id             = optional(string)
    security_group_id  = optional(string)
  })
  default = null

  validation {
    condition     = var.existing_source == null ? true : can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\\d{12}:secret:.+$", var.existing_source.secret_arn))
    error_message = "existing_source.secret_arn must be the ARN of a secret in Secrets Manager. Don't put a password here."
  }
  validation {
    condition     = var.existing_source == null ? true : can(regex("^[A-Za-z0-9.-]+$", var.existing_source.host))
    error_message = "existing_source.host must be a host name or an IPv4 address, without port."
  }
  validation {
    condition     = var.existing_source == null ? true : can(regex("^[A-Za-z0-9_]+$", var.existing_source.database))
    error_message = "existing_source.database must be the name of a database: letters, digits and underscores."
  }
  validation {
    condition     = var.existing_source == null ? true : (var.existing_source.vpc_id == null) == (var.existing_source.security_group_id == null)
    error_message = "Set both existing_source.vpc_id and existing_source.security_group_id, or neither: the rule needs both."
  }
}

variable "new_database" {
  description = <<-EOT
    A new MySQL database on RDS, in new private subnets of an existing VPC; null creates none.
    subnets: an unused address range of the VPC for each of at least two availability zones.
    engine_version: the major version. RDS chooses the newest minor version and updates it.
    backup_days: at most 1 in an account on AWS's free plan.
  EOT
  type = object({
    vpc_id         = string
    subnets        = map(string)
    database       = optional(string, "classicmodels")
    instance_class = optional(string, "db.t4g.micro")
    engine_version = optional(string, "8.4")
    storage_gb     = optional(number, 20)
    max_storage_gb = optional(number, 100)
    multi_az       = optional(bool, false)
    backup_days    = optional(number, 7)
  })
  default = null

  validation {
    condition     = var.new_database == null || var.existing_source == null
    error_message = "Set either existing_source or new_database, not both: the pipeline reads one database."
  }
  validation {
    condition     = var.new_database == null ? true : length(var.new_database.subnets) >= 2 && alltrue([for cidr in values(var.new_database.subnets) : can(cidrnetmask(cidr))])
    error_message = "new_database.subnets must be IPv4 ranges of at least two availability zones, such as { eu-central-1a = \"172.31.200.0/26\", eu-central-1b = \"172.31.200.64/26\" }."
  }
  validation {
    condition     = var.new_database == null ? true : var.new_database.backup_days >= 1 && var.new_database.backup_days <= 35
    error_message = "new_database.backup_days must be 1 to 35: without backups a mistake can't be undone."
  }
  validation {
    condition     = var.new_database == null ? true : can(regex("^8\\.([4-9]|\\d\\d)$", var.new_database.engine_version))
    error_message = "new_database.engine_version must be MySQL 8.4 or a later 8.x: AWS's standard support of 8.0 ended on 2026-07-31."
  }
  validation {
    condition     = var.new_database == null ? true : can(regex("^[A-Za-z0-9_]+$", var.new_database.database))
    error_message = "new_database.database must be the name of a database: letters, digits and underscores."
  }
}

variable "machine" {
  description = <<-EOT
    An EC2 instance that runs Dagster. It is installed at its first boot, and reached only through Session Manager.
    enabled: true creates it; run `make wheel` first. It needs pipeline_on_ec2.
    instance_type: with 2 GB of memory or more.
    architecture: of the Debian image, arm64 or amd64; it must match the instance type.
    subnet_id: a subnet with a route to the internet; null: a default subnet of the database's VPC or of the default VPC.
      A later change has no effect; `terraform apply -replace='aws_instance.machine[0]'` moves the machine and loses its
      history of runs.
    disk_gb: size of the encrypted disk.
  EOT
  type = object({
    enabled       = optional(bool, false)
    instance_type = optional(string, "t4g.small")
    architecture  = optional(string, "arm64")
    subnet_id     = optional(string)
    disk_gb       = optional(number, 20)
  })
  default = {}

  validation {
    condition     = contains(["arm64", "amd64"], var.machine.architecture)
    error_message = "machine.architecture must be arm64 or amd64."
  }
  validation {
    condition     = var.machine.subnet_id == null ? true : can(regex("^subnet-[0-9a-f]+$", var.machine.subnet_id))
    error_message = "machine.subnet_id must be the ID of a subnet, such as subnet-0123456789abcdef0."
  }
  validation {
    condition     = var.machine.disk_gb >= 10 && floor(var.machine.disk_gb) == var.machine.disk_gb
    error_message = "machine.disk_gb must be a whole number of gigabytes, at least 10."
  }
}

variable "pipeline_on_ec2" {
  description = "true: EC2 instances may assume the pipeline's role, and Terraform creates its instance profile."
  type        = bool
  default     = true
}

variable "pipeline_principals" {
  description = "ARNs of IAM users and roles that may assume the pipeline's role, for a machine outside EC2."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.pipeline_principals : can(regex("^arn:[a-z-]+:iam::\\d{12}:(user|role)/[^*]+$", arn))])
    error_message = "pipeline_principals must be complete ARNs of users and roles: no accounts, no wildcards."
  }
}

variable "scanned_gb_limit" {
  description = "Gigabytes that one Athena query may read before Athena cancels it."
  type        = number
  default     = 10

  validation {
    condition     = var.scanned_gb_limit >= 1
    error_message = "scanned_gb_limit must be at least 1 (gigabyte)."
  }
}

variable "result_days" {
  description = "Days that results of Athena queries are kept."
  type        = number
  default     = 7

  validation {
    condition     = var.result_days >= 1 && floor(var.result_days) == var.result_days
    error_message = "result_days must be a whole number of days, at least 1."
  }
}

variable "spark" {
  description = <<-EOT
    The Glue Spark job, its size and limits.
    enabled: true creates it, and the pipeline uses it; run `make wheel` first.
    worker_type: G.1X has 4 vCPU and 16 GB, G.2X twice as much.
    workers: maximum number of workers; Glue scales down to the number that the job uses.
    timeout_minutes: time after which Glue stops a run.
  EOT
  type = object({
    enabled         = optional(bool, false)
    worker_type     = optional(string, "G.1X")
    workers         = optional(number, 2)
    timeout_minutes = optional(number, 60)
  })
  default = {}

  validation {
    condition     = contains(["G.1X", "G.2X", "G.4X", "G.8X"], var.spark.worker_type)
    error_message = "spark.worker_type must be G.1X, G.2X, G.4X or G.8X."
  }
  validation {
    condition     = var.spark.workers >= 2 && var.spark.workers <= 50
    error_message = "spark.workers must be 2 to 50: Glue needs two, and more than 50 is probably a mistake."
  }
  validation {
    condition     = var.spark.timeout_minutes >= 5 && var.spark.timeout_minutes <= 480
    error_message = "spark.timeout_minutes must be 5 to 480."
  }
}

variable "alert_email" {
  description = "E-mail address that receives the alerts, after its owner has confirmed AWS's message; null: no e-mails."
  type        = string
  default     = null

  validation {
    condition     = var.alert_email == null ? true : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alert_email))
    error_message = "alert_email must be one e-mail address, or null."
  }
}
