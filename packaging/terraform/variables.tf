# SPDX-License-Identifier: Apache-2.0
variable "bucket" {
  description = "Bucket for recordings"
  type        = string
}

variable "prefix" {
  description = "What hosts ship below, without slashes at its ends"
  type        = string
  default     = "ttytrail"
  validation {
    condition     = can(regex("^[^/].*[^/]$", var.prefix))
    error_message = "The prefix must have no slash at its ends."
  }
}

variable "trail_bucket" {
  description = "Bucket for CloudTrail's log files and digests"
  type        = string
}

variable "trail_prefix" {
  description = "What the trail writes below"
  type        = string
  default     = "trail"
}

variable "vpc_id" {
  description = "VPC of the hosts"
  type        = string
}

variable "route_table_ids" {
  description = "Route tables of the hosts' subnets: a subnet whose table is not named here has no road to the bucket"
  type        = list(string)
}

variable "instance_connect_subnet_id" {
  description = "Subnet of the Instance Connect Endpoint; empty: none"
  type        = string
  default     = ""
}

variable "kms_key_id" {
  description = "Id (not alias) of a KMS key of this account and region; empty: S3's own keys"
  type        = string
  default     = ""
}

variable "reader_principals" {
  description = "ARNs that may assume the reader's role"
  type        = list(string)
}

variable "correlator_principals" {
  description = "ARNs that may assume the correlator's role"
  type        = list(string)
}

variable "lock_mode" {
  description = "GOVERNANCE, or COMPLIANCE: then nobody, root included, can shorten it"
  type        = string
  default     = "GOVERNANCE"
}

variable "retain_days" {
  description = "Days of Object Lock"
  type        = number
  default     = 365
}

variable "cold_days" {
  description = "Days after which packs go to STANDARD_IA; 0: never"
  type        = number
  default     = 90
}

variable "expire_days" {
  description = "Days after which recordings are deleted; 0: never"
  type        = number
  default     = 0
}

locals {
  host_role       = "ttytrail-host"
  reader_role     = "ttytrail-reader"
  correlator_role = "ttytrail-correlator"
  kms             = var.kms_key_id == "" ? "" : "-kms"
  policies        = "${path.module}/../policies"
  names = {
    partition       = data.aws_partition.here.partition
    account         = data.aws_caller_identity.here.account_id
    region          = data.aws_region.here.name
    bucket          = var.bucket
    prefix          = var.prefix
    vpce            = aws_vpc_endpoint.s3.id
    trail_bucket    = var.trail_bucket
    trail_prefix    = var.trail_prefix
    host_role       = local.host_role
    correlator_role = local.correlator_role
    kms_key_id      = var.kms_key_id
  }
}
