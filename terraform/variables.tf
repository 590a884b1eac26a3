variable "account_id" {
  description = "The AWS account for which this is meant; Terraform refuses to touch any other."
  type        = string

  validation {
    condition     = can(regex("^\\d{12}$", var.account_id))
    error_message = "account_id is the twelve digits of an AWS account, in quotes."
  }
}

variable "region" {
  description = "The AWS region, e.g. eu-central-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.region))
    error_message = "region is the code of an AWS region, such as eu-central-1."
  }
}

variable "name" {
  description = "What every name begins with, so that two deployments can share an account."
  type        = string
  default     = "starschema"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name is 3 to 20 lower-case letters, digits and hyphens: it becomes part of a bucket's name."
  }
}

variable "tags" {
  description = "Tags that everything gets, beside project = name."
  type        = map(string)
  default     = {}
}

variable "lake_prefix" {
  description = "Folder of the lake in its bucket."
  type        = string
  default     = "lake"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$", var.lake_prefix))
    error_message = "lake_prefix is one or more folders without a slash at either end, such as lake or sales/lake."
  }
}

variable "deletion_protection" {
  description = "Whether `terraform destroy` stops at buckets that hold objects and at the database; false deletes data without return."
  type        = bool
  default     = true
}

variable "version_days" {
  description = "Days that replaced versions of a table are kept for `make restore`; the newest five are kept for longer."
  type        = number
  default     = 30

  validation {
    condition     = var.version_days >= 1 && floor(var.version_days) == var.version_days
    error_message = "version_days is a whole number of days, at least 1."
  }
}

variable "log_days" {
  description = "Days that logs of crawler, Spark job and database are kept, one of the numbers that CloudWatch offers."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_days)
    error_message = "log_days is one of the numbers that CloudWatch Logs takes: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827."
  }
}

variable "existing_source" {
  description = <<-EOT
    A MySQL database that is there already, on RDS or elsewhere.
    secret_arn: secret in Secrets Manager with username and password of a user who may SELECT.
    secret_kms_key_arn: the secret's key, if it isn't the account's aws/secretsmanager.
    vpc_id and security_group_id: let the pipeline's security group in, if the database is on RDS.
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
    error_message = "existing_source.secret_arn is the ARN of a secret in Secrets Manager; never put a password here."
  }
  validation {
    condition     = var.existing_source == null ? true : can(regex("^[A-Za-z0-9.-]+$", var.existing_source.host))
    error_message = "existing_source.host is a host name or an IPv4 address, without port."
  }
  validation {
    condition     = var.existing_source == null ? true : can(regex("^[A-Za-z0-9_]+$", var.existing_source.database))
    error_message = "existing_source.database is the name of a database: letters, digits and underscores."
  }
  validation {
    condition     = var.existing_source == null ? true : (var.existing_source.vpc_id == null) == (var.existing_source.security_group_id == null)
    error_message = "existing_source.vpc_id and existing_source.security_group_id go together: the rule needs both."
  }
}

variable "new_database" {
  description = <<-EOT
    A MySQL database on RDS that is to be made, in private subnets of an existing VPC; null makes none.
    subnets: an unused range of the VPC for each of at least two availability zones.
    engine_version: the major version, whose newest minor one RDS chooses and keeps up to date.
    backup_days: an account on AWS's free plan gets no more than 1.
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
    error_message = "Give existing_source or new_database: the pipeline reads one database."
  }
  validation {
    condition     = var.new_database == null ? true : length(var.new_database.subnets) >= 2 && alltrue([for cidr in values(var.new_database.subnets) : can(cidrnetmask(cidr))])
    error_message = "new_database.subnets are IPv4 ranges of at least two availability zones, such as { eu-central-1a = \"172.31.200.0/26\", eu-central-1b = \"172.31.200.64/26\" }."
  }
  validation {
    condition     = var.new_database == null ? true : var.new_database.backup_days >= 1 && var.new_database.backup_days <= 35
    error_message = "new_database.backup_days is 1 to 35: without backups a mistake can't be undone."
  }
  validation {
    condition     = var.new_database == null ? true : can(regex("^8\\.([4-9]|\\d\\d)$", var.new_database.engine_version))
    error_message = "new_database.engine_version is MySQL 8.4 or a later 8.x: AWS's standard support of 8.0 ended on 2026-07-31."
  }
  validation {
    condition     = var.new_database == null ? true : can(regex("^[A-Za-z0-9_]+$", var.new_database.database))
    error_message = "new_database.database is the name of a database: letters, digits and underscores."
  }
}

variable "machine" {
  description = <<-EOT
    An EC2 instance that runs Dagster, installed at its first boot and reached by Session Manager alone.
    enabled: whether there is one; needs `make wheel` first, and pipeline_on_ec2.
    instance_type: with 2 GB of memory or more.
    architecture: of the image of Debian, arm64 or amd64; the instance type must be of it.
    subnet_id: with a way out to the internet; null: a default subnet of the database's VPC or of the default VPC. It is
      chosen once: `terraform apply -replace='aws_instance.machine[0]'` moves the machine, without its history.
    disk_gb: of the encrypted disk.
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
    error_message = "machine.architecture is arm64 or amd64."
  }
  validation {
    condition     = var.machine.subnet_id == null ? true : can(regex("^subnet-[0-9a-f]+$", var.machine.subnet_id))
    error_message = "machine.subnet_id is the ID of a subnet, such as subnet-0123456789abcdef0."
  }
  validation {
    condition     = var.machine.disk_gb >= 10 && floor(var.machine.disk_gb) == var.machine.disk_gb
    error_message = "machine.disk_gb is a whole number of gigabytes, at least 10."
  }
}

variable "pipeline_on_ec2" {
  description = "Whether EC2 instances may take the pipeline's role; makes its instance profile, too."
  type        = bool
  default     = true
}

variable "pipeline_principals" {
  description = "ARNs of IAM users and roles that may take the pipeline's role, for a machine outside EC2."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.pipeline_principals : can(regex("^arn:[a-z-]+:iam::\\d{12}:(user|role)/[^*]+$", arn))])
    error_message = "pipeline_principals are ARNs of users and roles, each named whole: no account, no wildcard."
  }
}

variable "scanned_gb_limit" {
  description = "Gigabytes that one Athena query may read before Athena ends it."
  type        = number
  default     = 10

  validation {
    condition     = var.scanned_gb_limit >= 1
    error_message = "scanned_gb_limit is at least 1 (gigabyte)."
  }
}

variable "result_days" {
  description = "Days that results of Athena queries are kept."
  type        = number
  default     = 7

  validation {
    condition     = var.result_days >= 1 && floor(var.result_days) == var.result_days
    error_message = "result_days is a whole number of days, at least 1."
  }
}

variable "spark" {
  description = <<-EOT
    The Glue Spark job, its size and limits.
    enabled: whether there is one, and the pipeline uses it; needs `make wheel` first.
    worker_type: G.1X has 4 vCPU and 16 GB, G.2X twice as much.
    workers: at most so many; Glue scales down to what the job uses.
    timeout_minutes: after which Glue ends a run.
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
    error_message = "spark.worker_type is G.1X, G.2X, G.4X or G.8X."
  }
  validation {
    condition     = var.spark.workers >= 2 && var.spark.workers <= 50
    error_message = "spark.workers is 2 to 50: Glue needs two, and more than 50 would be a slip."
  }
  validation {
    condition     = var.spark.timeout_minutes >= 5 && var.spark.timeout_minutes <= 480
    error_message = "spark.timeout_minutes is 5 to 480."
  }
}

variable "alert_email" {
  description = "Address that gets the alerts, once its owner has confirmed AWS's message; null: nobody by e-mail."
  type        = string
  default     = null

  validation {
    condition     = var.alert_email == null ? true : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alert_email))
    error_message = "alert_email is one e-mail address, or null."
  }
}
