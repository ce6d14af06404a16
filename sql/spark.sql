-- SPDX-License-Identifier: Apache-2.0
-- The tables that `ttytrail correlate --fleet` writes, for Spark.  Put your bucket and prefix for BUCKET/PREFIX; then run
-- views.sql.  Days are folders, dt=YYYY-MM-DD: after the first run of a day, MSCK REPAIR TABLE finds it.

-- who opened each connection; every revision
CREATE TABLE IF NOT EXISTS ttytrail_verdicts (
  `subject` STRING,
  `revision` BIGINT,
  `decided_us` BIGINT,
  `decided_at` STRING,
  `grade` STRING,
  `rule` STRING,
  `way` STRING,
  `principal` STRING,
  `role` STRING,
  `arn` STRING,
  `person_arn` STRING,
  `source_identity` STRING,
  `mfa` STRING,
  `address` STRING,
  `event` STRING,
  `event_name` STRING,
  `event_us` BIGINT,
  `event_at` STRING,
  `object` STRING,
  `record_sha256` STRING,
  `digest` STRING,
  `reasons` STRING,
  `ended_by` STRING,
  `candidates` ARRAY<STRUCT<event: STRING, principal: STRING, arn: STRING, time_us: BIGINT, address: STRING>>,
  `host` STRING,
  `instance` STRING,
  `account` STRING,
  `region` STRING,
  `os_user` STRING,
  `came_by` STRING,
  `class` STRING,
  `opened_us` BIGINT,
  `opened_at` STRING,
  `closed_us` BIGINT,
  `closed_at` STRING,
  `session_count` BIGINT,
  `sessions` ARRAY<STRING>,
  `dt` STRING
)
USING JSON
PARTITIONED BY (dt)
LOCATION 's3://BUCKET/PREFIX/tables/verdicts/';

MSCK REPAIR TABLE ttytrail_verdicts;

-- recorded sessions, as the last run saw them
CREATE TABLE IF NOT EXISTS ttytrail_sessions (
  `session` STRING,
  `subject` STRING,
  `host` STRING,
  `os_user` STRING,
  `kind` STRING,
  `title` STRING,
  `command` STRING,
  `tty` STRING,
  `state` STRING,
  `exit` STRING,
  `flags` STRING,
  `began_us` BIGINT,
  `began_at` STRING,
  `ended_us` BIGINT,
  `ended_at` STRING,
  `dt` STRING
)
USING JSON
PARTITIONED BY (dt)
LOCATION 's3://BUCKET/PREFIX/tables/sessions/';

MSCK REPAIR TABLE ttytrail_sessions;

-- events of CloudTrail that opened a way in
CREATE TABLE IF NOT EXISTS ttytrail_accesses (
  `event` STRING,
  `event_name` STRING,
  `event_us` BIGINT,
  `event_at` STRING,
  `account` STRING,
  `region` STRING,
  `principal` STRING,
  `arn` STRING,
  `address` STRING,
  `instance` STRING,
  `os_user` STRING,
  `ssm_session` STRING,
  `document` STRING,
  `object` STRING,
  `digest` STRING,
  `subject` STRING,
  `unrecorded` STRING,
  `note` STRING,
  `dt` STRING
)
USING JSON
PARTITIONED BY (dt)
LOCATION 's3://BUCKET/PREFIX/tables/accesses/';

MSCK REPAIR TABLE ttytrail_accesses;
