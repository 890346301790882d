/** A deliverer for the storm: the real one at a faster pace, as a process of its own that can be killed. */
import { freshConfig, readConfig } from '../../host/index.ts'
import { deliver } from '../../notify/index.ts'
import { stormPace } from './storm-pace.ts'

const config = readConfig()
const warn = (problem: string) => void process.stderr.write(`${problem}\n`)
await deliver(config.home, freshConfig(config, warn), stormPace(process.argv.includes('--apart')))
