// SPDX-License-Identifier: Apache-2.0
// check.mjs SQL_DIR TABLES_DIR: the statements of sql/ through a parser of each dialect, then DuckDB over the tables below
// TABLES_DIR.  Prints one JSON object a line: each view's name and rows.  Fails with a sentence.
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import { register } from 'node:module';
import { DuckDBInstance } from '@duckdb/node-api';

register('./resolve.mjs', import.meta.url);
const { HiveSQL, SparkSQL, TrinoSQL } = await import('dt-sql-parser');

const [sqlDir, tablesDir] = process.argv.slice(2);
const views = ['ttytrail_verdict', 'ttytrail_session', 'ttytrail_access', 'ttytrail_who', 'ttytrail_unrecorded',
  'ttytrail_unexplained', 'ttytrail_shared'];

function fail(text) {
  console.error('check.mjs: ' + text);
  process.exit(1);
}

function read(name) {
  return readFileSync(join(sqlDir, name), 'utf8');
}

function parses(parser, dialect, name, text) {
  const errors = parser.validate(text);
  if (errors.length > 0) {
    const e = errors[0];
    fail(`${name} is not ${dialect}: line ${e.startLine}: ${e.message}`);
  }
  if (parser.validate(text + '\nSELEKT 1;').length === 0) {
    fail(`the parser of ${dialect} takes anything`);
  }
}

const shared = read('views.sql');
// Hive's grammar is Athena's for tables; CREATE OR REPLACE VIEW and the rest are Trino's.
parses(new HiveSQL(), 'Athena (tables)', 'athena.sql', read('athena.sql'));
parses(new TrinoSQL(), 'Trino', 'trino.sql', read('trino.sql'));
parses(new SparkSQL(), 'Spark', 'spark.sql', read('spark.sql'));
parses(new TrinoSQL(), 'Trino', 'views.sql', shared);
parses(new SparkSQL(), 'Spark', 'views.sql', shared);

// The columns of each table are those of the rows, in every dialect.
function columns(text, table, quote) {
  const at = text.search(new RegExp(`(EXISTS|VIEW) ttytrail_${table}\\b`));
  const end = text.slice(at).search(/\n(\)|  \})/);
  const names = [...text.slice(at, at + end).matchAll(new RegExp(`^ +${quote}([a-z0-9_]+)${quote}`, 'gm'))];
  return names.map((m) => m[1]).filter((n) => n !== 'dt');
}

function rows(table) {
  const top = join(tablesDir, 'tables', table);
  if (!existsSync(top)) {
    fail(`no ${top}`);
  }
  const all = [];
  for (const day of readdirSync(top)) {
    for (const file of readdirSync(join(top, day))) {
      if ((day + file).includes(':')) {
        fail(`a colon in ${day}/${file}`);
      }
      const text = gunzipSync(readFileSync(join(top, day, file))).toString();
      all.push(...text.trimEnd().split('\n').map((line) => JSON.parse(line)));
    }
  }
  return all;
}

for (const table of ['verdicts', 'sessions', 'accesses']) {
  for (const row of rows(table)) {
    const want = Object.keys(row).join();
    for (const [name, quote] of [['athena.sql', '`'], ['spark.sql', '`'], ['trino.sql', '"'], ['duckdb.sql', '"']]) {
      const got = columns(read(name), table, quote).join();
      if (got !== want) {
        fail(`${name}, ${table}: columns ${got}; rows have ${want}`);
      }
    }
  }
}

const db = await (await DuckDBInstance.create(':memory:')).connect();
process.chdir(tablesDir);
for (const name of ['duckdb.sql', 'views.sql']) {
  await db.run(read(name));
}
for (const view of views) {
  const result = await db.runAndReadAll(`SELECT * FROM ${view}`);
  const found = result.getRowObjectsJson();
  console.log(JSON.stringify({ view, rows: found }));
}
process.exit(0);
