# SPDX-License-Identifier: Apache-2.0
# Session Manager runs no login shell and passes no PAM: its sessions are recorded by this document's shell
# profile, and aws_iam_policy.session_manager lets people use no other document.
resource "aws_ssm_document" "session" {
  name            = "ttytrail-session"
  document_type   = "Session"
  document_format = "JSON"
  content         = file("${path.module}/../ssm/session-document.json")
}
