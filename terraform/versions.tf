terraform {
  required_version = ">= 1.11, < 2" # 1.11: the state's lock in S3 itself

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0" # the version that the rehearsal runs with; .terraform.lock.hcl holds its hashes
    }
  }

  # Where the state is kept is given to `terraform init`: docs/deploy.md.
  backend "s3" {}
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = merge({ project = var.name }, var.tags)
  }
}
