/**
 * How claude and the Gemini API speak: a line for each kind of message, such as `hook Stop of a worker: cwd, effort, …`. Names
 * of fields and plain words only, so that two runs give the same lines.
 */
export class Fingerprint {
  private readonly found = new Map<string, Set<string>>()

  addHook(input: string, agent: string): void {
    const hook = fieldsOf(JSON.parse(input))
    this.add(`hook ${hook['hook_event_name']} of ${agent}`, Object.keys(hook))
  }

  /** A line of a worker's stream. */
  addStreamLine(text: string): void {
    const line = fieldsOf(JSON.parse(text))
    const { type, subtype } = line
    this.add(`stream ${type}${subtype === undefined ? '' : `/${subtype}`}`, Object.keys(line))
    this.add('claude version', [line['claude_code_version']])
    this.add('stream stop reason', [line['stop_reason']])
    this.add('stream terminal reason', [line['terminal_reason']])
    this.add(`stream ${type} usage`, Object.keys(fieldsOf(line['usage'])))
    this.addMessage('stream', line, 'tools of workers')
  }

  /** A line of the orchestrator's transcript. Only the lines that dispatch reads count. */
  addTranscriptLine(text: string): void {
    const line = fieldsOf(JSON.parse(text))
    if (line['type'] !== 'assistant' && line['type'] !== 'user') return
    this.add(`transcript ${line['type']}`, Object.keys(line))
    this.addMessage('transcript', line, 'tools of the orchestrator')
  }

  addJudgeReply(body: string): void {
    const reply = fieldsOf(JSON.parse(body))
    this.add('judge reply', Object.keys(reply))
    this.add('judge modelVersion', [reply['modelVersion']])
    this.add('judge usageMetadata', Object.keys(fieldsOf(reply['usageMetadata'])))
    this.add('judge promptFeedback', Object.keys(fieldsOf(reply['promptFeedback'])))
    for (const candidate of listOf(reply['candidates'])) {
      const content = fieldsOf(candidate['content'])
      this.add('judge candidate', Object.keys(candidate))
      this.add('judge finishReason', [candidate['finishReason']])
      this.add('judge content', Object.keys(content))
      for (const part of listOf(content['parts'])) this.add('judge part', Object.keys(part))
    }
  }

  lines(): string[] {
    return [...this.found].map(([about, words]) => `${about}: ${[...words].sort().join(', ')}`).sort()
  }

  private addMessage(source: string, { type, message: value }: Fields, tools: string): void {
    const message = fieldsOf(value)
    this.add(`${source} ${type} message`, Object.keys(message))
    this.add(`${source} ${type} usage`, Object.keys(fieldsOf(message['usage'])))
    this.add(`${source} stop reason`, [message['stop_reason']])
    for (const block of listOf(message['content'])) {
      this.add(`${source} ${type} ${block['type']}`, Object.keys(block))
      if (block['type'] === 'tool_use') this.add(tools, [block['name']])
    }
  }

  /** Only plain words: anything else differs from run to run. */
  private add(about: string, words: unknown[]): void {
    const plain = words.filter(word => typeof word === 'string' && /^[\w./:@-]{1,60}$/.test(word)) as string[]
    if (plain.length > 0) this.found.set(about, new Set([...(this.found.get(about) ?? []), ...plain]))
  }
}

/** What is only in `lines`: whole lines, and of a line that both have the words that `others` lacks. */
export function onlyIn(lines: string[], others: string[]): string[] {
  const known = new Map(others.map(split))
  return lines.flatMap(line => {
    const [about, words] = split(line)
    const own = words.filter(word => !known.get(about)?.includes(word))
    return own.length === 0 ? [] : [`${about}: ${own.join(', ')}`]
  })
}

type Fields = Record<string, unknown>

/** The fields of an object; none of anything else. */
function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : []
}

function split(line: string): [about: string, words: string[]] {
  const [about = '', words = ''] = line.split(': ')
  return [about, words.split(', ')]
}
