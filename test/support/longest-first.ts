import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * What takes longest: begun last, one of them would keep the whole run waiting. Those that compute stand
 * between those that wait, so that they do not take turns on the processor.
 */
const LONGEST = [
  'migrations/nothing-is-lost-unasked',
  'monitoring/tls-is-not-trusted',
  'sessions/dead-servers',
  'migrations/many-runners',
  'failures/dead-connections',
  'monitoring/logins-are-refused',
  'defaults/are-overridden',
  'migrations/honest-migrations-are-not-asked-about',
  'cli/one-edge',
  'failures/database-urls',
  'monitoring/a-foreign-schema',
  'simulation/a-small-year',
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
