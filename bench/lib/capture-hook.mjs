/** Loaded into a server with --import: notes every statement it sends, in order, for the bench to ask for. */
import pg from 'pg'

const { query } = pg.Client.prototype
const connections = new Map()
const statements = []

pg.Client.prototype.query = function (config, values, ...rest) {
  if (!connections.has(this)) connections.set(this, connections.size)
  const sent = typeof config === 'string' ? { text: config, values } : config
  const statement = {
    connection: connections.get(this),
    text: sent.text,
    values: sent.values,
    name: sent.name,
    rowCount: null,
  }
  statements.push(statement)
  const answer = query.call(this, config, values, ...rest)
  answer?.then?.(
    (result) => {
      statement.rowCount = result.rowCount ?? null
    },
    () => {},
  )
  return answer
}

process.on('message', (question) => {
  if (question === 'statements') process.send?.(statements.splice(0))
})
process.channel?.unref()
