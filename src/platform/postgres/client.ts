import pg from 'pg'

/**
 * A client whose session is described by its settings alone. `PGOPTIONS` is meant for psql, a pooler
 * refuses it, and what it sets is set otherwise here; `PGREPLICATION` and `PGSSLNEGOTIATION` would
 * make another protocol of it. The loss of a connection that nobody is using is no uncaught error.
 */
export class OwnClient extends pg.Client {
  constructor(config: pg.ClientConfig) {
    super({ sslnegotiation: 'postgres', ...config })
    const parameters = Object(Reflect.get(this, 'connectionParameters'))
    Reflect.set(parameters, 'options', config.options)
    Reflect.set(parameters, 'replication', undefined)
    this.on('error', () => {})
  }
}
