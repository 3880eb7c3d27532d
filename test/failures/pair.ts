import { Cluster } from '../support/cluster.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { waitFor } from '../support/wait-for.js'

/** A primary, a standby that streams from it through `wire`, and a way to each as a client takes it. */
export interface Pair {
  readonly primary: Cluster
  readonly standby: Cluster
  readonly wire: FaultProxy
  readonly toPrimary: FaultProxy
  readonly toStandby: FaultProxy
  /** Both servers, the first primary first. */
  readonly url: string
}

/** Starts the two; synchronous when commits wait for the standby. */
export async function startPair(options: { readonly synchronous: boolean }): Promise<Pair> {
  const primary = await Cluster.start()
  const wire = await FaultProxy.forThisTest(primary.url)
  const standby = await primary.startStandby(
    `host=127.0.0.1 port=${wire.port} sslmode=disable gssencmode=disable`,
  )
  if (options.synchronous) await setSynchronous(primary)
  const toPrimary = await FaultProxy.forThisTest(primary.url)
  const toStandby = await FaultProxy.forThisTest(standby.url)
  const url = `postgresql://postgres@127.0.0.1:${toPrimary.port},127.0.0.1:${toStandby.port}/catalyst`
  return { primary, standby, wire, toPrimary, toStandby, url }
}

async function setSynchronous(primary: Cluster): Promise<void> {
  await primary.query(`alter system set synchronous_standby_names = 'standby'`)
  await primary.query('select pg_reload_conf()')
  await waitFor(
    async () =>
      (await primary.query(`select 1 from pg_stat_replication where sync_state = 'sync'`)).length >
      0,
    { what: 'a synchronous standby' },
  )
}
