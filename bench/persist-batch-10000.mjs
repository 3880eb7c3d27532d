import { persistBatch } from './lib/persist-batch.mjs'

/** Goal 1: ten thousand articles in one call, a tenth of them repeats. */
export const run = (bench) =>
  persistBatch(bench, {
    name: 'persist_news_batch 10000',
    count: 10_000,
    rounds: bench.size(9, 3),
    goal: 0.5,
  })
