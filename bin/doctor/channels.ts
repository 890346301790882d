import { type Config, programOf } from '../../host/index.ts'
import { type Channel, healthOf, prove } from '../../notify/index.ts'
import { remedyFor, symptomOf, testNotice, wayOf } from '../notify/proof.ts'
import { good, type Symptom, weak } from './symptom.ts'

/** How a person is told. With `notify` one notice goes out on every channel that is set, and what that proves is told. */
export async function channels(config: Config, notify: boolean): Promise<Symptom[]> {
  const proofs = notify ? await prove(testNotice('dispatch doctor --notify'), config) : []
  return healthOf(config.home, config).map(({ channel, on, sick }) => {
    if (!on) return off(channel)
    const tried = proofs.find(proof => proof.channel === channel)
    if (tried) return symptomOf(tried, config)
    if (sick !== undefined)
      return weak(channel, `${sick} (\`dispatch notify log\` has more)`, remedyFor(channel, config))
    if (lacksNotifier(channel)) return weak(channel, 'notify-send is not on PATH', remedyFor(channel, config))
    return good(channel, `${wayOf(channel, config)} (\`dispatch notify test\` proves it)`)
  })
}

// --- internal ---

function off(channel: Channel): Symptom {
  if (channel === 'desktop') return good(channel, 'switched off (DESKTOP=off)')
  if (channel === 'webhook')
    return good(channel, 'none is set (`dispatch notify setup --webhook` asks for its address)')
  const setup = '`dispatch notify setup` makes a topic and shows it as a QR code'
  return weak(channel, 'NTFY_TOPIC is not set: no push to a phone', setup)
}

/** On a Mac the notifier comes with us. */
function lacksNotifier(channel: Channel): boolean {
  return channel === 'desktop' && process.platform !== 'darwin' && programOf('notify-send') === ''
}
