# SPDX-License-Identifier: Apache-2.0
# For ttytrail.conf of a host: the bucket's policy binds it to this name.
output "host_name" {
  description = "[s3] host_name: followed by the instance's id"
  value       = "${aws_iam_role.host.unique_id}:"
}

output "to" {
  description = "[ship] to"
  value       = "s3://${aws_s3_bucket.recordings.id}/${var.prefix}"
}

output "vpce" {
  description = "[s3] vpce"
  value       = aws_vpc_endpoint.s3.id
}

output "trail" {
  description = "[trail] trail"
  value       = "s3://${aws_s3_bucket.trail.id}/${var.trail_prefix}"
}

output "instance_profile" {
  description = "For the hosts"
  value       = aws_iam_instance_profile.host.name
}
