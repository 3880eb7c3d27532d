import pg from 'pg'

/** A client for which the loss of a connection that nobody is using is no uncaught error. */
export class OwnClient extends pg.Client {
  constructor(config: pg.ClientConfig) {
    super(config)
    this.on('error', () => {})
  }
}
