-- SPDX-License-Identifier: Apache-2.0
-- The tables that `ttytrail correlate --fleet` writes, for Athena.  Put your bucket and prefix for BUCKET/PREFIX, and run
-- the statements one by one; then those of views.sql.  Days are found by projection: no crawler, no MSCK.

-- who opened each connection; every revision
CREATE EXTERNAL TABLE IF NOT EXISTS ttytrail_verdicts (
  `subject` string,
  `revision` bigint,
  `decided_us` bigint,
  `decided_at` string,
  `grade` string,
  `rule` string,
  `way` string,
  `principal` string,
  `role` string,
  `arn` string,
  `person_arn` string,
  `source_identity` string,
  `mfa` string,
  `address` string,
  `event` string,
  `event_name` string,
  `event_us` bigint,
  `event_at` string,
  `object` string,
  `record_sha256` string,
  `digest` string,
  `reasons` string,
  `ended_by` string,
  `candidates` array<struct<event:string,principal:string,arn:string,time_us:bigint,address:string>>,
  `host` string,
  `instance` string,
  `account` string,
  `region` string,
  `os_user` string,
  `came_by` string,
  `class` string,
  `opened_us` bigint,
  `opened_at` string,
  `closed_us` bigint,
  `closed_at` string,
  `session_count` bigint,
  `sessions` array<string>
)
PARTITIONED BY (`dt` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://BUCKET/PREFIX/tables/verdicts/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '2026-01-01,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://BUCKET/PREFIX/tables/verdicts/dt=${dt}/'
);

-- recorded sessions, as the last run saw them
CREATE EXTERNAL TABLE IF NOT EXISTS ttytrail_sessions (
  `session` string,
  `subject` string,
  `host` string,
  `os_user` string,
  `kind` string,
  `title` string,
  `command` string,
  `tty` string,
  `state` string,
  `exit` string,
  `flags` string,
  `began_us` bigint,
  `began_at` string,
  `ended_us` bigint,
  `ended_at` string
)
PARTITIONED BY (`dt` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://BUCKET/PREFIX/tables/sessions/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '2026-01-01,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://BUCKET/PREFIX/tables/sessions/dt=${dt}/'
);

-- events of CloudTrail that opened a way in
CREATE EXTERNAL TABLE IF NOT EXISTS ttytrail_accesses (
  `event` string,
  `event_name` string,
  `event_us` bigint,
  `event_at` string,
  `account` string,
  `region` string,
  `principal` string,
  `arn` string,
  `address` string,
  `instance` string,
  `os_user` string,
  `ssm_session` string,
  `document` string,
  `object` string,
  `digest` string,
  `subject` string,
  `unrecorded` string,
  `note` string
)
PARTITIONED BY (`dt` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://BUCKET/PREFIX/tables/accesses/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '2026-01-01,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://BUCKET/PREFIX/tables/accesses/dt=${dt}/'
);
