-- SPDX-License-Identifier: Apache-2.0
-- Views over the tables, in the part of SQL that Athena (Trino), Spark and DuckDB share.  Run them after the tables of
-- athena.sql, spark.sql, trino.sql or duckdb.sql.  dt is the day of the run that wrote a row: a condition on it keeps a
-- query to those days.

-- The newest revision of each verdict.
CREATE OR REPLACE VIEW ttytrail_verdict AS
SELECT *
FROM (
  SELECT v.*,
         row_number() OVER (PARTITION BY v.subject ORDER BY v.revision DESC, v.decided_us DESC) AS newest
  FROM ttytrail_verdicts v
) ranked
WHERE newest = 1;

-- Each recorded session as it was seen last.
CREATE OR REPLACE VIEW ttytrail_session AS
SELECT *
FROM (
  SELECT s.*,
         row_number() OVER (PARTITION BY s.session ORDER BY s.ended_us DESC, s.dt DESC) AS newest
  FROM ttytrail_sessions s
) ranked
WHERE newest = 1;

-- Each access as it was judged last.
CREATE OR REPLACE VIEW ttytrail_access AS
SELECT *
FROM (
  SELECT a.*,
         row_number() OVER (PARTITION BY a.event, a.instance ORDER BY a.dt DESC, a.subject DESC, a.unrecorded DESC) AS newest
  FROM ttytrail_accesses a
) ranked
WHERE newest = 1;

-- The join: who was it, for every recorded session.
CREATE OR REPLACE VIEW ttytrail_who AS
SELECT s.session,
       s.host,
       s.os_user,
       s.command,
       s.began_at,
       s.ended_at,
       s.flags,
       v.principal,
       v.role,
       coalesce(v.grade, 'none') AS grade,
       v.rule,
       v.way,
       v.address,
       v.mfa,
       v.person_arn,
       v.arn,
       v.event,
       v.digest,
       v.reasons,
       v.instance,
       v.account,
       v.region,
       s.dt
FROM ttytrail_session s
LEFT JOIN ttytrail_verdict v ON v.subject = s.subject;

-- What AWS let in and nobody recorded.
CREATE OR REPLACE VIEW ttytrail_unrecorded AS
SELECT event, event_name, event_at, principal, address, instance, os_user, document, unrecorded, note, digest, account, region, dt
FROM ttytrail_access
WHERE unrecorded <> '';

-- Connections from elsewhere that no access explains.
CREATE OR REPLACE VIEW ttytrail_unexplained AS
SELECT subject, host, instance, os_user, came_by, class, opened_at, session_count, reasons, dt
FROM ttytrail_verdict
WHERE grade = 'none' AND came_by <> 'local';

-- Shared accounts: how many people used each, and how sure that is.
CREATE OR REPLACE VIEW ttytrail_shared AS
SELECT host,
       os_user,
       count(DISTINCT principal) AS people,
       count(*) AS connections,
       sum(CASE WHEN grade = 'exact' THEN 1 ELSE 0 END) AS exact_ones,
       min(opened_at) AS first_at,
       max(opened_at) AS last_at
FROM ttytrail_verdict
WHERE principal <> ''
GROUP BY host, os_user;
