/**
 * The protocols of claude and of the Gemini API: one line for each kind of message, such as `hook Stop of a worker: cwd,
 * effort, …`. Only field names and plain words, so that two runs give the same lines.
 */
export class Fingerprint {
  private readonly entries = new Map<string, Set<string>>()

  addHook(input: string, agent: string): void {
    const hook = toFields(JSON.parse(input))
    this.add(`hook ${hook['hook_event_name']} of ${agent}`, Object.keys(hook))
  }

  /** A line of a worker's stream. */
  addStreamLine(text: string): void {
    const line = toFields(JSON.parse(text))
    const { type, subtype } = line
    this.add(`stream ${type}${subtype === undefined ? '' : `/${subtype}`}`, Object.keys(line))
    this.add('claude version', [line['claude_code_version']])
    this.add('stream stop reason', [line['stop_reason']])
    this.add('stream terminal reason', [line['terminal_reason']])
    this.add(`stream ${type} usage`, Object.keys(toFields(line['usage'])))
    this.addMessage('stream', line, 'tools of workers')
  }

  /** A line of the orchestrator's transcript. Lines that dispatch does not read are ignored. */
  addTranscriptLine(text: string): void {
    const line = toFields(JSON.parse(text))
    if (line['type'] !== 'assistant' && line['type'] !== 'user') return
    this.add(`transcript ${line['type']}`, Object.keys(line))
    this.addMessage('transcript', line, 'tools of the orchestrator')
  }

  addJudgeReply(body: string): void {
    const reply = toFields(JSON.parse(body))
    this.add('judge reply', Object.keys(reply))
    this.add('judge modelVersion', [reply['modelVersion']])
    this.add('judge usageMetadata', Object.keys(toFields(reply['usageMetadata'])))
    this.add('judge promptFeedback', Object.keys(toFields(reply['promptFeedback'])))
    for (const candidate of toFieldsList(reply['candidates'])) {
      const content = toFields(candidate['content'])
      this.add('judge candidate', Object.keys(candidate))
      this.add('judge finishReason', [candidate['finishReason']])
      this.add('judge content', Object.keys(content))
      for (const part of toFieldsList(content['parts'])) this.add('judge part', Object.keys(part))
    }
  }

  lines(): string[] {
    return [...this.entries].map(([kind, words]) => `${kind}: ${[...words].sort().join(', ')}`).sort()
  }

  private addMessage(source: string, { type, message: value }: Fields, tools: string): void {
    const message = toFields(value)
    this.add(`${source} ${type} message`, Object.keys(message))
    this.add(`${source} ${type} usage`, Object.keys(toFields(message['usage'])))
    this.add(`${source} stop reason`, [message['stop_reason']])
    for (const block of toFieldsList(message['content'])) {
      this.add(`${source} ${type} ${block['type']}`, Object.keys(block))
      if (block['type'] === 'tool_use') this.add(tools, [block['name']])
    }
  }

  /** Add plain words; anything else differs from run to run. */
  private add(kind: string, words: unknown[]): void {
    const plain = words.filter(word => typeof word === 'string' && /^[\w./:@-]{1,60}$/.test(word)) as string[]
    if (plain.length > 0) this.entries.set(kind, new Set([...(this.entries.get(kind) ?? []), ...plain]))
  }
}

/** What `lines` has and `others` lacks: whole lines, or the missing words of a line. */
export function findMissing(lines: string[], others: string[]): string[] {
  const known = new Map(others.map(splitLine))
  return lines.flatMap(line => {
    const [kind, words] = splitLine(line)
    const missing = words.filter(word => !known.get(kind)?.includes(word))
    return missing.length === 0 ? [] : [`${kind}: ${missing.join(', ')}`]
  })
}

type Fields = Record<string, unknown>

/** An object's fields; no fields for anything else. */
function toFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function toFieldsList(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(toFields) : []
}

function splitLine(line: string): [kind: string, words: string[]] {
  const [kind = '', words = ''] = line.split(': ')
  return [kind, words.split(', ')]
}
