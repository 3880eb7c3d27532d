import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes longest, in about this order: begun last, one of them would keep the whole run waiting. */
const LONGEST = [
  'migrations/nothing-is-lost-unasked',
  'migrations/many-runners',
  'monitoring/tls-is-not-trusted',
  'sessions/dead-servers',
  'defaults/are-overridden',
  'failures/failover',
  'migrations/honest-migrations-are-not-asked-about',
  'cli/one-edge',
  'failures/database-urls',
  'monitoring/a-foreign-schema',
  'monitoring/logins-are-refused',
  'simulation/a-small-year',
  'failures/dead-connections',
]

/** Begins with the longest files; a clean checkout has no durations of an earlier run to go by. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`))
      return place === -1 ? LONGEST.length : place
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
