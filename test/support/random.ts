export { Random } from '../../scripts/simulate/random.mjs'
