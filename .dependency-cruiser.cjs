/**
 * Which layer may import which. Type-only imports count (tsPreCompilationDeps). Every rule is seen to
 * fire in test/guards/layers.test.ts; the deliberate exceptions are argued in docs/decisions/0008.
 */
const FOUNDATION = '^src/(lib/|errors\\.ts$|events\\.ts$)'
/** The type of an open transaction, which persisting tools are given. */
const TRANSACTION = '^src/platform/postgres/queryable\\.ts$'
/** Who works in the background is given the loops to do it in. */
const LOOPS = '^src/kernel/loops\\.ts$'
/** What every part declares, joined. */
const JOINED = ['^src/declared\\.ts$', '^src/kernel/declare\\.ts$']
const PACKAGES = '(^|/)node_modules/'

/** Files of a layer import nothing of ours but what is listed; `$1` is the first group of `from`. */
const layer = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: allowed },
})

/** These imports may be `import type` and nothing else. */
const typesOnly = (name, from, to) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { ...to, dependencyTypesNot: ['type-only'] },
})

/** Packages that only one place may import. */
const home = (name, packages, where) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: where },
  to: { path: `${PACKAGES}(${packages.join('|')})/` },
})

const everywhere = (name, from, to) => ({ name, severity: 'error', from, to })

const DOMAIN = '^src/domains/([^/]+)/'
/** Both spellings of a role: `sql.ts`, and `news.sql.ts` where a domain has several. */
const files = (role) => `${DOMAIN}(|[^/]+\\.)${role}\\.ts$`
const EDGES = '(tools|resources|prompts)'
const own = (role) => `^src/domains/$1/(|[^/]+\\.)${role}\\.ts$`
/** What a domain shows to the others: its parts. */
const INDEX = '^src/domains/[^/]+/index\\.ts$'
const OWN_DOMAIN = '^src/domains/$1/'

module.exports = {
  forbidden: [
    everywhere('no-cycles', {}, { circular: true }),
    everywhere('no-unresolved', {}, { couldNotResolve: true }),
    everywhere('no-dev-packages', { path: '^src/' }, { dependencyTypes: ['npm-dev'] }),
    everywhere('no-tests-in-src', { path: '^src/' }, { path: '^(test|scripts|bench|dist)/' }),

    layer('foundation', '^src/(lib/|errors\\.ts$)', ['^src/lib/']),
    layer('declare', '^src/kernel/declare\\.ts$', []),
    layer('declarations', '^src/(domains/[^/]+|kernel)/declared\\.ts$', [
      '^src/lib/',
      '^src/kernel/declare\\.ts$',
    ]),
    layer('declared', '^src/declared\\.ts$', ['^src/(domains/[^/]+|kernel)/declared\\.ts$']),
    layer('events', '^src/events\\.ts$', JOINED),
    layer('policy', '^src/policy\\.ts$', JOINED),
    layer('config', '^src/config\\.ts$', [...JOINED, '^src/lib/', '^src/(errors|policy)\\.ts$']),
    everywhere(
      'declared-is-joined',
      { path: '^src/', pathNot: '^src/(declared|events|policy|config)\\.ts$' },
      { path: '^src/(declared\\.ts$|(domains/[^/]+|kernel)/declared\\.ts$)' },
    ),

    layer('platform', '^src/platform/([^/]+)/', [
      FOUNDATION,
      '^src/config\\.ts$',
      '^src/platform/$1/',
      '^src/platform/log\\.ts$',
      LOOPS,
    ]),
    layer('platform-log', '^src/platform/log\\.ts$', ['^src/lib/', '^src/(config|errors)\\.ts$']),

    layer('domain-sql', files('sql'), [FOUNDATION, '^src/platform/postgres/sql\\.ts$', OWN_DOMAIN]),
    typesOnly('domain-sql-types', files('sql'), { path: OWN_DOMAIN }),
    layer('domain-schemas', files('schemas'), [FOUNDATION, OWN_DOMAIN]),
    layer('domain-edges', files(EDGES), [
      FOUNDATION,
      '^src/mcp/define\\.ts$',
      own('(schemas|service)'),
    ]),
    typesOnly('domain-edges-types', files(EDGES), { path: own('service') }),
    layer('domain-index', `${DOMAIN}index\\.ts$`, [
      FOUNDATION,
      '^src/kernel/part\\.ts$',
      '^src/platform/',
      OWN_DOMAIN,
      INDEX,
    ]),
    {
      ...layer('domain-service', DOMAIN, [
        FOUNDATION,
        '^src/(config|policy)\\.ts$',
        '^src/platform/',
        '^src/domains/[^/]+/',
        LOOPS,
      ]),
      from: {
        path: DOMAIN,
        pathNot: `(^|/|\\.)(declared|index|tools|resources|prompts|schemas|sql)\\.ts$`,
      },
    },
    everywhere(
      'domain-behind-its-edges',
      { path: DOMAIN, pathNot: '/index\\.ts$' },
      { path: `^src/domains/$1/(index\\.ts$|(|[^/]+\\.)${EDGES}\\.ts$)` },
    ),
    everywhere(
      'other-domain',
      { path: DOMAIN, pathNot: INDEX },
      {
        path: '^src/domains/',
        pathNot: [OWN_DOMAIN, '^src/domains/[^/]+/(|[^/]+\\.)service\\.ts$'],
      },
    ),
    typesOnly('other-domain-types', DOMAIN, {
      path: '^src/domains/',
      pathNot: [OWN_DOMAIN, INDEX],
    }),

    layer('mcp-define', '^src/mcp/define\\.ts$', [FOUNDATION, TRANSACTION]),
    layer('mcp', '^src/mcp/(?!define\\.ts)', [
      FOUNDATION,
      '^src/(config|policy)\\.ts$',
      '^src/platform/log\\.ts$',
      '^src/mcp/',
      TRANSACTION,
    ]),
    typesOnly('mcp-types', '^src/mcp/', { path: TRANSACTION }),

    layer('kernel', '^src/kernel/', [
      FOUNDATION,
      '^src/(config|systems)\\.ts$',
      '^src/kernel/',
      '^src/mcp/',
      '^src/platform/',
    ]),

    layer('cli', '^src/cli/', [
      FOUNDATION,
      '^src/(app|commands|config|policy|systems)\\.ts$',
      '^src/cli/',
      '^src/mcp/(http|stdio|access/(open-door|token-file))\\.ts$',
      '^src/platform/log\\.ts$',
      '^src/domains/monitoring/checkup\\.ts$',
    ]),
    layer('systems', '^src/systems\\.ts$', [FOUNDATION, '^src/config\\.ts$', '^src/platform/']),
    layer('main', '^src/main\\.ts$', ['^src/cli/', '^src/lib/']),
    everywhere(
      'app-is-the-root',
      { path: '^src/', pathNot: '^src/(main\\.ts$|cli/)' },
      { path: '^src/(app|commands|main)\\.ts$|^src/cli/' },
    ),
    everywhere(
      'systems-below-the-root',
      { path: '^src/', pathNot: '^src/((app|commands)\\.ts$|cli/|kernel/)' },
      { path: '^src/systems\\.ts$' },
    ),

    layer('client-alone', '^src/client/', ['^src/client/']),
    everywhere(
      'page-alone',
      { path: '^page/' },
      {
        path: '.',
        pathNot: ['^page/', '^src/client/served\\.ts$', `${PACKAGES}(preact|uplot)/`],
      },
    ),
    typesOnly('page-types', '^page/', { path: '^src/' }),
    everywhere('nobody-imports-the-page', { path: '^(src|scripts)/' }, { path: '^page/' }),
    layer('kernel-loops', '^src/kernel/(loops|ending)\\.ts$', [
      FOUNDATION,
      '^src/kernel/ending\\.ts$',
    ]),
    typesOnly('loops-types', '^src/(domains|platform)/', { path: LOOPS }),

    home(
      'sdk-only-in-mcp',
      ['@modelcontextprotocol'],
      ['^src/mcp/(?!define\\.ts)', '^src/client/'],
    ),
    home(
      'driver-postgres',
      ['pg', '@types/pg', 'pg-.+', '@types/pg-.+'],
      ['^src/platform/(postgres|embedded)/'],
    ),
    home('sql-parser', ['libpg-query', '@pgsql'], ['^src/platform/sql-parser/']),
    home('driver-cache', ['ioredis', 'lru-cache'], ['^src/platform/cache/']),
    home('driver-objects', ['@aws-sdk', 'age-encryption'], ['^src/platform/objects/']),
    home('metrics-format', ['prom-client'], ['^src/domains/monitoring/exposition\\.ts$']),
    home('access-in-one-place', ['jose', 'rate-limiter-flexible'], ['^src/mcp/access/']),
    home('driver-log', ['pino'], ['^src/platform/log\\.ts$']),
    home('decimals-in-one-place', ['big.js', '@types/big.js'], ['^src/lib/decimal\\.ts$']),
    home('policy-format', ['smol-toml'], ['^src/policy\\.ts$']),
    home(
      'terminal-only-in-cli',
      ['commander', 'cli-table3', 'picocolors'],
      ['^src/(main\\.ts$|cli/)'],
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
