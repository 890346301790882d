import path from 'node:path'
import { z } from 'zod'
import { type Config, ownEnvironment, run } from '../../host/index.ts'
import { type Finding, good, weak } from './finding.ts'

const mac = process.platform === 'darwin'

/** How a person is told. With `notify` one notice goes out on every channel, and what can be proved of it is told. */
export async function channels(config: Config, notify: boolean): Promise<Finding[]> {
  const sent = notify ? await sendTest(config) : []
  return [phone(config, sent), await desktop(config, sent)]
}

/** Too few letters, or a plain word: somebody may guess it. Pure. */
export function isWeakTopic(topic: string): boolean {
  return topic.length < 16 || new Set(topic.toLowerCase()).size < 8 || /^[a-z_-]+$/i.test(topic)
}

// --- internal ---

const Sent = z.array(z.looseObject({ channel: z.string(), ok: z.boolean(), why: z.string() }))
type Sent = z.infer<typeof Sent>

async function sendTest(config: Config): Promise<Sent> {
  const notice = {
    title: 'Dispatch: a test',
    body: 'dispatch doctor --notify sent this. If you can read it, this channel works.',
    priority: 3,
    tags: ['wave'],
  }
  const ran = await run(process.execPath, [path.join(config.install, 'bin/push.ts')], {
    env: ownEnvironment(config),
    input: JSON.stringify(notice),
    deadline: 30_000,
  })
  try {
    return Sent.parse(JSON.parse(ran.stdout))
  } catch {
    return ['phone', 'desktop'].map(channel => ({ channel, ok: false, why: 'the push process gave no answer' }))
  }
}

function phone({ NTFY_TOPIC: topic, NTFY_SERVER: server, home }: Config, sent: Sent): Finding {
  const random = `Put NTFY_TOPIC=… into ${home}/.env with what \`openssl rand -hex 16\` prints`
  if (topic === '')
    return weak('phone', 'NTFY_TOPIC is not set: no push to a phone', `${random}, and subscribe to it in the ntfy app`)
  const { host } = new URL(server)
  const told = sent.find(({ channel }) => channel === 'phone')
  if (told && !told.ok)
    return weak(
      'phone',
      `${host} did not take the test notice: ${told.why}`,
      `Look at NTFY_SERVER and NTFY_TOKEN in ${home}/.env`,
    )
  if (isWeakTopic(topic))
    return weak(
      'phone',
      `the topic at ${host} can be guessed, and who knows it reads along`,
      `${random}, and subscribe anew`,
    )
  const proof = told
    ? `${host} took the test notice; only you can see whether the phone shows it`
    : `by ntfy at ${host}`
  return good('phone', told ? proof : `${proof} (\`dispatch doctor --notify\` sends a test)`)
}

async function desktop({ DESKTOP }: Config, sent: Sent): Promise<Finding> {
  if (DESKTOP === 'off') return good('desktop', 'switched off (DESKTOP=off)')
  const permission = 'No banner? System Settings → Notifications → terminal-notifier: allow them, as Banners or Alerts'
  const fix = {
    mac: permission,
    linux: '`apt-get install libnotify-bin`, or DESKTOP=off; a machine without a desktop needs DESKTOP=off',
  }
  const told = sent.find(({ channel }) => channel === 'desktop')
  if (told && !told.ok) return weak('desktop', `the test notice was not shown: ${told.why}`, fix)
  if (told)
    return {
      ...weak('desktop', 'the notifier took the test notice; only you can see whether it shows', fix),
      state: 'good',
    }
  if (mac) return { ...weak('desktop', 'by terminal-notifier, which comes with us', fix), state: 'good' }
  const ran = await run('notify-send', ['--version'], { deadline: 5000 })
  return ran.code === 0
    ? good('desktop', `by ${ran.stdout.trim()}`)
    : weak('desktop', 'notify-send is not on PATH', fix)
}
