-- SPDX-License-Identifier: Apache-2.0
-- The tables that `ttytrail correlate --fleet` writes, for Trino with a Hive catalog of schema ttytrail.  Put your bucket
-- and prefix for BUCKET/PREFIX; then run views.sql.

-- who opened each connection; every revision
CREATE TABLE IF NOT EXISTS ttytrail_verdicts (
  "subject" varchar,
  "revision" bigint,
  "decided_us" bigint,
  "decided_at" varchar,
  "grade" varchar,
  "rule" varchar,
  "way" varchar,
  "principal" varchar,
  "role" varchar,
  "arn" varchar,
  "person_arn" varchar,
  "source_identity" varchar,
  "mfa" varchar,
  "address" varchar,
  "event" varchar,
  "event_name" varchar,
  "event_us" bigint,
  "event_at" varchar,
  "object" varchar,
  "record_sha256" varchar,
  "digest" varchar,
  "reasons" varchar,
  "ended_by" varchar,
  "candidates" array(row(event varchar, principal varchar, arn varchar, time_us bigint, address varchar)),
  "host" varchar,
  "instance" varchar,
  "account" varchar,
  "region" varchar,
  "os_user" varchar,
  "came_by" varchar,
  "class" varchar,
  "opened_us" bigint,
  "opened_at" varchar,
  "closed_us" bigint,
  "closed_at" varchar,
  "session_count" bigint,
  "sessions" array(varchar),
  "dt" varchar
)
WITH (
  format = 'JSON',
  partitioned_by = ARRAY['dt'],
  external_location = 's3://BUCKET/PREFIX/tables/verdicts/'
);

CALL system.sync_partition_metadata('ttytrail', 'ttytrail_verdicts', 'FULL');

-- recorded sessions, as the last run saw them
CREATE TABLE IF NOT EXISTS ttytrail_sessions (
  "session" varchar,
  "subject" varchar,
  "host" varchar,
  "os_user" varchar,
  "kind" varchar,
  "title" varchar,
  "command" varchar,
  "tty" varchar,
  "state" varchar,
  "exit" varchar,
  "flags" varchar,
  "began_us" bigint,
  "began_at" varchar,
  "ended_us" bigint,
  "ended_at" varchar,
  "dt" varchar
)
WITH (
  format = 'JSON',
  partitioned_by = ARRAY['dt'],
  external_location = 's3://BUCKET/PREFIX/tables/sessions/'
);

CALL system.sync_partition_metadata('ttytrail', 'ttytrail_sessions', 'FULL');

-- events of CloudTrail that opened a way in
CREATE TABLE IF NOT EXISTS ttytrail_accesses (
  "event" varchar,
  "event_name" varchar,
  "event_us" bigint,
  "event_at" varchar,
  "account" varchar,
  "region" varchar,
  "principal" varchar,
  "arn" varchar,
  "address" varchar,
  "instance" varchar,
  "os_user" varchar,
  "ssm_session" varchar,
  "document" varchar,
  "object" varchar,
  "digest" varchar,
  "subject" varchar,
  "unrecorded" varchar,
  "note" varchar,
  "dt" varchar
)
WITH (
  format = 'JSON',
  partitioned_by = ARRAY['dt'],
  external_location = 's3://BUCKET/PREFIX/tables/accesses/'
);

CALL system.sync_partition_metadata('ttytrail', 'ttytrail_accesses', 'FULL');
