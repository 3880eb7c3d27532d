import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Model, type Statement, statements } from './loss-model.js'
import { Operator, refusal, run } from './operator.js'

const LONG = process.env.CATALYST_TEST_LONG === '1'
const RUNS = LONG ? 400 : 25

test('scripts that lose something are asked about, with what a model says; all others run', async () => {
  const operator = await Operator.start()
  let version = 1_000
  const property = async (script: readonly Statement[]) => {
    const model = new Model(`r${version}`)
    await operator.database.query(model.world)
    const own = version++
    const name = `${own}_script.up`
    const text = script.flatMap((one) => model.apply(one)).join(';\n')
    await operator.write({ [name]: text === '' ? 'select 1' : text })
    try {
      await compare(text, model.losses())
    } finally {
      if (!(await operator.applied()).includes(own)) await operator.remove(name)
    }
  }
  const compare = async (text: string, expected: string[]) => {
    if (expected.length === 0) {
      const { migrations_applied } = await operator.service.up(run())
      expect(migrations_applied, text).toMatchObject([{ status: 'applied' }])
      return
    }
    expect(await refusal(operator.service.up(run())), text).toMatchObject({
      code: 'confirmation_required',
    })
    // Who asks has it measured first, where the locks alone were reason enough to ask.
    const course = { direction: 'up', target: null } as const
    const plan = await operator.service.plan(course)
    const { losses } = plan.isMeasured ? plan : await operator.service.measured(course, run())
    const found = losses.flatMap((file) => file.losses)
    const told = found.map(({ object, what, rows }) => `${object} ${what} ${rows ?? '-'}`)
    expect(told.toSorted(), text).toEqual(expected.toSorted())
  }
  await fc.assert(
    fc.asyncProperty(fc.array(statements, { minLength: 1, maxLength: 8 }), property),
    { numRuns: RUNS, seed: 12 },
  )
}, 1_800_000)
