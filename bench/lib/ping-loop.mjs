/** Another client of a Redis: asks PING again as soon as it has the answer, and tells how long it waited. */
import { connect } from 'node:net'
import { quantile } from './measure.mjs'

const [path] = process.argv.slice(2)
const socket = connect(path)
let waits = []
let isOn = false
let sentAt = 0

function ask() {
  sentAt = performance.now()
  socket.write('PING\r\n')
}

socket.on('data', () => {
  waits.push(performance.now() - sentAt)
  if (isOn) ask()
  else process.send({ longest: Math.max(...waits), p999: quantile(waits, 0.999) })
})
process.on('message', ({ on }) => {
  isOn = on
  if (!on) return
  waits = []
  ask()
  process.send({})
})
process.on('disconnect', () => process.exit(0))
