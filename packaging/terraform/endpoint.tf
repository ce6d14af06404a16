# SPDX-License-Identifier: Apache-2.0
# The road: S3's addresses of this region are routed to the endpoint, in the tables named.  Security groups
# must let the hosts out to the prefix list on port 443.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = var.vpc_id
  service_name      = "com.amazonaws.${data.aws_region.here.name}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids
  tags              = { Name = "ttytrail" }
}

# Apart from the endpoint, since the bucket's policy names the endpoint.
resource "aws_vpc_endpoint_policy" "s3" {
  vpc_endpoint_id = aws_vpc_endpoint.s3.id
  policy          = templatefile("${local.policies}/endpoint.json", local.names)
}

resource "aws_security_group" "instance_connect" {
  count       = var.instance_connect_subnet_id == "" ? 0 : 1
  name        = "ttytrail-instance-connect"
  description = "From the Instance Connect Endpoint to sshd"
  vpc_id      = var.vpc_id

  egress {
    description = "sshd"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = [data.aws_vpc.here.cidr_block]
  }
}

data "aws_vpc" "here" {
  id = var.vpc_id
}

resource "aws_ec2_instance_connect_endpoint" "here" {
  count              = var.instance_connect_subnet_id == "" ? 0 : 1
  subnet_id          = var.instance_connect_subnet_id
  security_group_ids = [aws_security_group.instance_connect[0].id]
  preserve_client_ip = false
}
