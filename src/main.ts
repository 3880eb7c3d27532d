#!/usr/bin/env node
// Nothing is imported before this: an older Node.js could not even read what follows.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > 20 || (major === 20 && minor >= 19)) {
  const env = { ...process.env }
  // The driver would take from these whatever a URL leaves open. They are meant for psql, not for us.
  for (const name of Object.keys(env)) if (name.startsWith('PG')) delete process.env[name]
  void import('./cli/program.js').then(({ run }) => run(process.argv, env))
} else {
  process.stderr.write(
    `catalyst-db: Node.js ${process.versions.node} is too old.\nInstall Node.js 20.19 or later (https://nodejs.org), then run the same command again.\n`,
  )
  process.exitCode = 3
}
