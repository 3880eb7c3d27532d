import { examine } from '../commands.js'
import { type Finding, isUsable } from '../domains/monitoring/checkup.js'
import { EXIT } from './exit.js'
import { print } from './print.js'
import { type Env, readConfig } from './start.js'
import { table } from './table.js'

/** Prints every finding with its fix; starts, creates and changes nothing. */
export async function doctor(env: Env, options: { readonly json?: boolean }): Promise<number> {
  const findings = await examine(readConfig(env))
  print({ findings }, options, () => readable(findings))
  return exitCodeOf(findings)
}

function exitCodeOf(findings: readonly Finding[]): number {
  if (!isUsable(findings)) return EXIT.unreachable
  return findings.every(({ status }) => status === 'ok') ? EXIT.ok : EXIT.findings
}

function readable(findings: readonly Finding[]): string {
  const rows = findings.map(({ check, status, detail }) => [check, status, detail])
  const fixes = findings.flatMap(({ check, fix }) =>
    fix ? [`${check}: ${fix.replaceAll('\n', '\n    ')}`] : [],
  )
  const advice =
    fixes.length > 0 ? `\nWhat to do:\n${fixes.map((fix) => `  - ${fix}\n`).join('')}` : ''
  return table(['CHECK', 'STATUS', 'DETAIL'], rows) + advice
}
