terraform {
  required_version = ">= 1.11, < 2" # 1.11: locks the state in S3, without DynamoDB

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The last 5.x (6.x is current), because the rehearsal runs with it. .terraform.lock.hcl has its hashes.
      version = "5.100.0"
    }
  }

  # Pass the state's location to `terraform init`: see docs/deploy.md.
  backend "s3" {}
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = merge({ project = var.name }, var.tags)
  }
}
