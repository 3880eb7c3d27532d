import { join } from 'node:path'

const modules = (dir, ...path) => join(dir, 'node_modules', ...path)

/** A peer that a Node of this machine runs. */
const onNode =
  (path, args = []) =>
  ({ dir }) => ({
    command: process.execPath,
    args: [modules(dir, ...path), ...args],
  })

const SELECT = { sql: 'select 1 as one' }

/**
 * Public MCP servers for PostgreSQL that can be installed with npm: how each is started on a
 * database, and how it is asked for `select 1`. Versions are pinned, for the figures name them.
 */
export const PEERS = [
  {
    name: 'server-postgres',
    packages: ['@modelcontextprotocol/server-postgres@0.6.2'],
    start: ({ dir, url }) =>
      onNode(['@modelcontextprotocol/server-postgres', 'dist/index.js'], [url])({ dir }),
    call: { name: 'query', arguments: SELECT },
  },
  {
    name: 'dbhub',
    // It needs Node 22.5 or later, so it brings one.
    packages: ['@bytebase/dbhub@1.4.0', 'node@24.21.0'],
    start: ({ dir, url }) => ({
      command: modules(dir, 'node/bin/node'),
      args: [modules(dir, '@bytebase/dbhub/dist/index.js'), '--transport', 'stdio', '--dsn', url],
    }),
    call: { name: 'execute_sql', arguments: SELECT },
  },
  {
    name: 'toolbox (Go)',
    packages: ['@toolbox-sdk/server@1.12.0'],
    isNode: false,
    start: ({ dir, port }) => ({
      command: modules(dir, `@toolbox-sdk/server-${process.platform}-${process.arch}/bin/toolbox`),
      args: ['--prebuilt', 'postgres', '--stdio'],
      env: {
        POSTGRES_HOST: '127.0.0.1',
        POSTGRES_PORT: String(port),
        POSTGRES_DATABASE: 'postgres',
        POSTGRES_USER: 'postgres',
        POSTGRES_PASSWORD: 'unused',
      },
    }),
    call: { name: 'execute_sql', arguments: SELECT },
  },
  {
    name: 'mcp-postgres-server',
    packages: ['mcp-postgres-server@0.3.1'],
    start: ({ dir, url }) => ({
      ...onNode(['mcp-postgres-server', 'build/index.js'])({ dir }),
      env: { DATABASE_URL: url },
    }),
    call: { name: 'query', arguments: SELECT },
  },
  {
    name: 'henkey postgres-mcp-server',
    packages: ['@henkey/postgres-mcp-server@1.0.7'],
    start: ({ dir, url }) => ({
      ...onNode(['@henkey/postgres-mcp-server', 'build/index.js'])({ dir }),
      env: { POSTGRES_CONNECTION_STRING: url },
    }),
    call: { name: 'pg_execute_query', arguments: { operation: 'select', query: SELECT.sql } },
  },
  {
    name: 'zed postgres-context-server',
    packages: ['@zeddotdev/postgres-context-server@0.1.7'],
    start: ({ dir, url }) => ({
      ...onNode(['@zeddotdev/postgres-context-server', 'index.mjs'])({ dir }),
      env: { DATABASE_URL: url },
    }),
    call: { name: 'query', arguments: SELECT },
  },
]
