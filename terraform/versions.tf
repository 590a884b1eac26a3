terraform {
  required_version = ">= 1.11, < 2" # 1.11: the state's lock in S3 itself

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The last of 5.x (6.x is current), because the rehearsal runs with it; .terraform.lock.hcl holds its hashes.
      version = "5.100.0"
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
