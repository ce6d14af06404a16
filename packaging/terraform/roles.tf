# SPDX-License-Identifier: Apache-2.0
data "aws_iam_policy_document" "instances" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "readers" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = var.reader_principals
    }
  }
}

data "aws_iam_policy_document" "correlators" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = var.correlator_principals
    }
  }
}

resource "aws_iam_role" "host" {
  name               = local.host_role
  assume_role_policy = data.aws_iam_policy_document.instances.json
}

resource "aws_iam_role_policy" "host" {
  name   = "ttytrail"
  role   = aws_iam_role.host.id
  policy = templatefile("${local.policies}/host${local.kms}.json", local.names)
}

resource "aws_iam_instance_profile" "host" {
  name = local.host_role
  role = aws_iam_role.host.name
}

resource "aws_iam_role" "reader" {
  name               = local.reader_role
  assume_role_policy = data.aws_iam_policy_document.readers.json
}

resource "aws_iam_role_policy" "reader" {
  name   = "ttytrail"
  role   = aws_iam_role.reader.id
  policy = templatefile("${local.policies}/reader${local.kms}.json", local.names)
}

resource "aws_iam_role" "correlator" {
  name               = local.correlator_role
  assume_role_policy = data.aws_iam_policy_document.correlators.json
}

resource "aws_iam_role_policy" "correlator" {
  name   = "ttytrail"
  role   = aws_iam_role.correlator.id
  policy = templatefile("${local.policies}/correlator${local.kms}.json", local.names)
}

# To be attached to people who open sessions.
resource "aws_iam_policy" "session_manager" {
  name   = "ttytrail-session-manager"
  policy = templatefile("${local.policies}/session-manager.json", local.names)
}
