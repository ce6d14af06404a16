-- SPDX-License-Identifier: Apache-2.0
-- The same tables from a directory, for DuckDB: start it where `tables/` lies (or put s3://BUCKET/PREFIX/ in front).

-- who opened each connection; every revision
CREATE OR REPLACE VIEW ttytrail_verdicts AS
SELECT * FROM read_json('tables/verdicts/dt=*/*.json.gz',
  format = 'newline_delimited', hive_partitioning = true, hive_types_autocast = false, columns = {
    "subject": 'VARCHAR',
    "revision": 'BIGINT',
    "decided_us": 'BIGINT',
    "decided_at": 'VARCHAR',
    "grade": 'VARCHAR',
    "rule": 'VARCHAR',
    "way": 'VARCHAR',
    "principal": 'VARCHAR',
    "role": 'VARCHAR',
    "arn": 'VARCHAR',
    "person_arn": 'VARCHAR',
    "source_identity": 'VARCHAR',
    "mfa": 'VARCHAR',
    "address": 'VARCHAR',
    "event": 'VARCHAR',
    "event_name": 'VARCHAR',
    "event_us": 'BIGINT',
    "event_at": 'VARCHAR',
    "object": 'VARCHAR',
    "record_sha256": 'VARCHAR',
    "digest": 'VARCHAR',
    "reasons": 'VARCHAR',
    "ended_by": 'VARCHAR',
    "candidates": 'STRUCT(event VARCHAR, principal VARCHAR, arn VARCHAR, time_us BIGINT, address VARCHAR)[]',
    "host": 'VARCHAR',
    "instance": 'VARCHAR',
    "account": 'VARCHAR',
    "region": 'VARCHAR',
    "os_user": 'VARCHAR',
    "came_by": 'VARCHAR',
    "class": 'VARCHAR',
    "opened_us": 'BIGINT',
    "opened_at": 'VARCHAR',
    "closed_us": 'BIGINT',
    "closed_at": 'VARCHAR',
    "session_count": 'BIGINT',
    "sessions": 'VARCHAR[]'
  });

-- recorded sessions, as the last run saw them
CREATE OR REPLACE VIEW ttytrail_sessions AS
SELECT * FROM read_json('tables/sessions/dt=*/*.json.gz',
  format = 'newline_delimited', hive_partitioning = true, hive_types_autocast = false, columns = {
    "session": 'VARCHAR',
    "subject": 'VARCHAR',
    "host": 'VARCHAR',
    "os_user": 'VARCHAR',
    "kind": 'VARCHAR',
    "title": 'VARCHAR',
    "command": 'VARCHAR',
    "tty": 'VARCHAR',
    "state": 'VARCHAR',
    "exit": 'VARCHAR',
    "flags": 'VARCHAR',
    "began_us": 'BIGINT',
    "began_at": 'VARCHAR',
    "ended_us": 'BIGINT',
    "ended_at": 'VARCHAR'
  });

-- events of CloudTrail that opened a way in
CREATE OR REPLACE VIEW ttytrail_accesses AS
SELECT * FROM read_json('tables/accesses/dt=*/*.json.gz',
  format = 'newline_delimited', hive_partitioning = true, hive_types_autocast = false, columns = {
    "event": 'VARCHAR',
    "event_name": 'VARCHAR',
    "event_us": 'BIGINT',
    "event_at": 'VARCHAR',
    "account": 'VARCHAR',
    "region": 'VARCHAR',
    "principal": 'VARCHAR',
    "arn": 'VARCHAR',
    "address": 'VARCHAR',
    "instance": 'VARCHAR',
    "os_user": 'VARCHAR',
    "ssm_session": 'VARCHAR',
    "document": 'VARCHAR',
    "object": 'VARCHAR',
    "digest": 'VARCHAR',
    "subject": 'VARCHAR',
    "unrecorded": 'VARCHAR',
    "note": 'VARCHAR'
  });
