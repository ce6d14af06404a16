# SPDX-License-Identifier: Apache-2.0
resource "aws_s3_bucket" "recordings" {
  bucket              = var.bucket
  object_lock_enabled = true

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "recordings" {
  bucket = aws_s3_bucket.recordings.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "recordings" {
  bucket = aws_s3_bucket.recordings.id

  rule {
    default_retention {
      mode = var.lock_mode
      days = var.retain_days
    }
  }
  depends_on = [aws_s3_bucket_versioning.recordings]
}

resource "aws_s3_bucket_ownership_controls" "recordings" {
  bucket = aws_s3_bucket.recordings.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "recordings" {
  bucket                  = aws_s3_bucket.recordings.id
  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "recordings" {
  bucket = aws_s3_bucket.recordings.id

  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_id == "" ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_id == "" ? null : var.kms_key_id
    }
  }
}

resource "aws_s3_bucket_policy" "recordings" {
  bucket     = aws_s3_bucket.recordings.id
  policy     = templatefile("${local.policies}/bucket.json", local.names)
  depends_on = [aws_s3_bucket_public_access_block.recordings]
}

resource "aws_s3_bucket_lifecycle_configuration" "recordings" {
  bucket = aws_s3_bucket.recordings.id

  dynamic "rule" {
    for_each = var.cold_days > 0 || var.expire_days > 0 ? [1] : []
    content {
      id     = "packs"
      status = "Enabled"
      filter {
        prefix = "${var.prefix}/packs/"
      }
      dynamic "transition" {
        for_each = var.cold_days > 0 ? [1] : []
        content {
          days          = var.cold_days
          storage_class = "STANDARD_IA"
        }
      }
      dynamic "expiration" {
        for_each = var.expire_days > 0 ? [1] : []
        content {
          days = var.expire_days
        }
      }
      dynamic "noncurrent_version_expiration" {
        for_each = var.expire_days > 0 ? [1] : []
        content {
          noncurrent_days = 1
        }
      }
    }
  }

  dynamic "rule" {
    for_each = var.expire_days > 0 ? [1] : []
    content {
      id     = "batches"
      status = "Enabled"
      filter {
        prefix = "${var.prefix}/batches/"
      }
      expiration {
        days = var.expire_days
      }
      noncurrent_version_expiration {
        noncurrent_days = 1
      }
    }
  }

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"
    filter {
      prefix = "${var.prefix}/"
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
  depends_on = [aws_s3_bucket_versioning.recordings]
}
