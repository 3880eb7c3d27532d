import { body, type ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import { codeRunBy } from './code.js'
import { partsOf, quoted } from './relation-name.js'
import { manual, type Rule, squawkDocs } from './rule.js'
import { changedRelations, writtenRelations } from './targets.js'
import { nodesIn, option } from './tree.js'

export const dropDatabase: Rule = {
  name: 'ban-drop-database',
  severity: 'error',
  destructive: true,
  what: 'a migration does not drop databases.',
  safeWay: null,
  docs: squawkDocs('ban-drop-database'),
  check: ({ kind, node }) =>
    kind === 'DropdbStmt' ? [{ subject: quoted(node.dbname ?? ''), on: [] }] : [],
}

export const copyProgram: Rule = {
  name: 'copy-program',
  severity: 'error',
  what: 'a migration does not run programs on the database server.',
  safeWay: 'Run the program yourself, and load its output with COPY FROM STDIN.',
  docs: manual('sql-copy'),
  check: ({ kind, node }) =>
    kind === 'CopyStmt' && node.is_program ? [{ subject: 'COPY PROGRAM', on: [] }] : [],
}

export const serverFile: Rule = {
  name: 'server-file',
  severity: 'error',
  what: 'a migration does not read or write files of the database server.',
  safeWay: 'Load data with COPY FROM STDIN, outside of migrations.',
  docs: manual('sql-copy'),
  check: (statement) => {
    if (statement.kind === 'CopyStmt') {
      const { filename, is_program: isProgram } = statement.node
      return filename && !isProgram ? [{ subject: 'COPY with a file', on: [] }] : []
    }
    return calledFunctions(statement)
      .filter((name) => FILE_FUNCTIONS.test(name))
      .map((name) => ({ subject: quoted(name), on: [] }))
  },
}

/** https://www.postgresql.org/docs/18/functions-admin.html and lo-funcs.html */
const FILE_FUNCTIONS =
  /^(pg_read_(binary_)?file|pg_ls_\w*dir|pg_stat_file|pg_file_\w+|lo_(im|ex)port|pg_(start|stop)_backup|pg_backup_(start|stop))$/

/** The runner waits for its data on no input, so that it would wait for ever. */
export const copyStdin: Rule = {
  name: 'copy-stdin',
  severity: 'error',
  what: 'a migration has no input or output to copy from or to.',
  safeWay: 'Write the rows as INSERT, or load them with COPY outside of migrations.',
  docs: manual('sql-copy'),
  check: ({ kind, node }) =>
    kind === 'CopyStmt' && !node.filename ? [{ subject: 'COPY', on: [] }] : [],
}

export const alterSystem: Rule = {
  name: 'alter-system',
  severity: 'error',
  what: 'a migration does not set what holds for the whole server.',
  safeWay: "Set it in the server's own configuration.",
  docs: manual('sql-altersystem'),
  check: ({ kind }) => {
    const subject = SERVER_WIDE.get(kind)
    return subject ? [{ subject, on: [] }] : []
  },
}

const SERVER_WIDE = new Map<string, string>([
  ['AlterSystemStmt', 'ALTER SYSTEM'],
  ['CreateTableSpaceStmt', 'CREATE TABLESPACE'],
  ['DropTableSpaceStmt', 'DROP TABLESPACE'],
  ['AlterTableSpaceOptionsStmt', 'ALTER TABLESPACE'],
  ['CreatedbStmt', 'CREATE DATABASE'],
])

export const roleDdl: Rule = {
  name: 'role-ddl',
  severity: 'error',
  what: 'a migration neither makes nor changes roles, nor acts as another one.',
  safeWay: 'Let an administrator set up roles; GRANT to them by name here.',
  docs: manual('sql-createrole'),
  check: (statement) => {
    const subject = ROLE_DDL.get(statement.kind)
    if (subject) return [{ subject, on: [] }]
    const { kind, node } = statement
    const set = kind === 'VariableSetStmt' ? [node.name ?? ''] : settingsSetBy(statement)
    return set.some((name) => ACTING.has(name)) ? [{ subject: 'SET ROLE', on: [] }] : []
  },
}

const ROLE_DDL = new Map<string, string>([
  ['CreateRoleStmt', 'CREATE ROLE'],
  ['AlterRoleStmt', 'ALTER ROLE'],
  ['AlterRoleSetStmt', 'ALTER ROLE SET'],
  ['DropRoleStmt', 'DROP ROLE'],
  ['GrantRoleStmt', 'GRANT of a role'],
  ['ReassignOwnedStmt', 'REASSIGN OWNED'],
])
const ACTING = new Set(['role', 'session_authorization'])

export const load: Rule = {
  name: 'load-library',
  severity: 'error',
  what: 'a migration loads no libraries into the server.',
  safeWay: 'CREATE EXTENSION, for what is trusted.',
  docs: manual('sql-load'),
  check: ({ kind }) => (kind === 'LoadStmt' ? [{ subject: 'LOAD', on: [] }] : []),
}

/** Code in them does on the server's machine whatever its user may. */
export const untrustedLanguage: Rule = {
  name: 'untrusted-language',
  severity: 'error',
  what: 'its code is not confined to the database.',
  safeWay: 'Write it in SQL or PL/pgSQL.',
  docs: manual('sql-createlanguage'),
  check: ({ kind, node }) => {
    const language = () => {
      if (kind === 'CreateFunctionStmt') return languageOf(node.options)
      if (kind === 'DoStmt') return languageOf(node.args)
      if (kind === 'CreatePLangStmt') return node.plname
      return kind === 'CreateExtensionStmt' ? node.extname : undefined
    }
    const name = language()?.toLowerCase() ?? ''
    return UNTRUSTED.test(name) ? [{ subject: quoted(name), on: [] }] : []
  },
}

const UNTRUSTED = /^(c|internal|plpython[23]?u|plperlu|pltclu|plsh|plrust|pljavau)$/

const languageOf = (options: Parameters<typeof option>[0]): string | undefined =>
  body(option(options, 'language')?.arg, 'String')?.sval

/** An extension may bring functions that reach beyond the database. */
export const outsideExtension: Rule = {
  name: 'outside-extension',
  severity: 'block',
  what: 'the extension reaches beyond this database.',
  safeWay: 'Move data through the application, or allow the rule with the reason.',
  docs: manual('contrib'),
  check: ({ kind, node }) =>
    kind === 'CreateExtensionStmt' && OUTSIDE.has(node.extname ?? '')
      ? [{ subject: quoted(node.extname ?? ''), on: [] }]
      : [],
}

const OUTSIDE = new Set(['dblink', 'file_fdw', 'postgres_fdw', 'adminpack', 'pg_cron', 'http'])

/** What a rule about a statement must look for in code too, where only words can be seen. */
export const outsideCode: Rule = {
  name: 'outside-code',
  severity: 'error',
  what: 'the code it runs reaches beyond the database.',
  safeWay: 'Do it outside of migrations.',
  docs: manual('sql-do'),
  check: (statement, script) =>
    codeRunBy(statement, script).some((code) => OUTSIDE_WORDS.test(code))
      ? [{ subject: 'code', on: [] }]
      : [],
}

const OUTSIDE_WORDS =
  /\b(alter\s+system|pg_read_(binary_)?file|pg_file_write|lo_(im|ex)port|(from|to)\s+program|(create|alter|drop)\s+(role|user|database|tablespace)|set\s+(role|session)|pg_advisory_(un)?lock\w*|pg_(terminate|cancel)_backend|pg_authid)\b/i

/** What a superuser may do to the catalog, nobody can undo. */
export const systemCatalog: Rule = {
  name: 'system-catalog',
  severity: 'error',
  what: "PostgreSQL's own tables are changed by its own commands alone.",
  safeWay: 'The ALTER command for it.',
  docs: manual('catalogs-overview'),
  check: (statement) =>
    [...writtenRelations(statement), ...changedRelations(statement)]
      .filter(
        ({ schemaname, relname = '' }) =>
          schemaname === 'pg_catalog' || (!schemaname && relname.startsWith('pg_')),
      )
      .map(({ relname = '' }) => ({ subject: quoted(relname), on: [] })),
}

/** The runner's lock and settings are those of its session. */
export const runnerSession: Rule = {
  name: 'runner-session',
  severity: 'error',
  what: 'it would end the session, the lock or the settings of the runner.',
  safeWay: null,
  docs: manual('sql-discard'),
  check: (statement) => {
    if (statement.kind === 'DiscardStmt') return [{ subject: 'DISCARD', on: [] }]
    return calledFunctions(statement)
      .filter((name) => SESSION_FUNCTIONS.test(name))
      .map((name) => ({ subject: quoted(name), on: [] }))
  },
}

const SESSION_FUNCTIONS = /^pg_(advisory_(un)?lock\w*|(terminate|cancel)_backend)$/

/** The settings that calls of `set_config` name. */
const settingsSetBy = (statement: ScriptStatement): string[] =>
  nodesIn(statement).flatMap(({ kind, node }) => {
    const isSetting = kind === 'FuncCall' && partsOf(node.funcname).at(-1) === 'set_config'
    return isSetting ? (body(node.args?.[0], 'A_Const')?.sval?.sval?.toLowerCase() ?? []) : []
  })

const calledFunctions = (statement: ScriptStatement): string[] =>
  nodesIn(statement).flatMap(({ kind, node }) =>
    kind === 'FuncCall' ? (partsOf(node.funcname).at(-1) ?? []) : [],
  )
