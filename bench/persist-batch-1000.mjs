import { persistBatch } from './lib/persist-batch.mjs'

/** Goal 2: a thousand articles in one call, a tenth of them repeats. */
export const run = (bench) =>
  persistBatch(bench, {
    name: 'persist_news_batch 1000',
    count: 1_000,
    rounds: bench.size(21, 5),
    goal: 0.45,
  })
